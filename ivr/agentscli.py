"""`ivr agents`: who may log in, which queues they serve and what they can."""

import argparse
import asyncio
import getpass
import json
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace

from rich.table import Table

from ivr import callview
from ivr.accounts import AccountError, Role, ha1, hash_pin, new_account
from ivr.config import Config
from ivr.openstore import with_database
from ivr.store.accounts import Accounts, Member
from ivr.store.errors import StoreError

Work = Callable[[Accounts], Awaitable[int]]
_SKILL_LEVELS = range(1, 11)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the options of `ivr agents`."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    listing = actions.add_parser("list", help="every account with its queues and skills")
    listing.add_argument("--json", action="store_true", help="a JSON array instead of a table")
    adding = actions.add_parser(
        "add", help="add an account (its password is asked for, or read from a pipe), or change its queues and skills"
    )
    adding.add_argument("name", metavar="NAME", help="what the phone registers as")
    adding.add_argument("--display", default="", metavar="TEXT", help="the name that others read (default: NAME)")
    adding.add_argument("--role", choices=[role.value for role in Role], help="(default: agent)")
    adding.add_argument(
        "--queue", action="append", type=_queue, default=[], metavar="Q[:PENALTY]", help="a queue to serve; repeatable"
    )
    adding.add_argument(
        "--skill", action="append", type=_skill, default=[], metavar="SKILL=LEVEL", help="level 1 to 10; repeatable"
    )
    password = actions.add_parser("password", help="set another password, or the PIN for star codes")
    password.add_argument("name", metavar="NAME")
    password.add_argument("--pin", action="store_true", help="the PIN, not the password")
    removing = actions.add_parser("remove", help="remove an account")
    removing.add_argument("name", metavar="NAME")


def run(options: argparse.Namespace, config: Config) -> int:
    """`ivr agents ...`: 0 when it was done, 1 when it was refused."""
    actions = {"list": _list, "add": _add, "password": _password, "remove": _remove}
    try:
        work = actions[options.action](options, config)
        return asyncio.run(with_database(config, lambda database: work(Accounts(database))))
    except (AccountError, StoreError) as error:
        print(f"ivr agents: {error}", file=sys.stderr)
        return 1


def _list(options: argparse.Namespace, _config: Config) -> Work:
    async def work(accounts: Accounts) -> int:
        members = await accounts.members()
        if options.json:
            print(json.dumps([_member_json(member) for member in members], ensure_ascii=False, indent=1))
        elif members:
            callview.console().print(_table(members))
        else:
            print("No accounts yet: ivr agents add NAME --queue QUEUE")
        return 0

    return work


def _add(options: argparse.Namespace, config: Config) -> Work:
    for queue, _ in options.queue:
        if queue not in config.queues:
            raise AccountError(f"there is no [queues.{queue}] in the settings; there are {', '.join(config.queues)}")
    queues, skills = dict(options.queue), dict(options.skill)

    async def work(accounts: Accounts) -> int:
        before = await accounts.get(options.name)
        account = before or new_account(options.name, Role.AGENT, _secret("password"))
        account = replace(account, role=Role(options.role or account.role), display=options.display or account.display)
        await accounts.put(account, time.time())
        await accounts.assign(options.name, queues, skills)
        print(f"{'changed' if before else 'added'} {options.name}")
        return 0

    return work


def _password(options: argparse.Namespace, _config: Config) -> Work:
    async def work(accounts: Accounts) -> int:
        account = await accounts.get(options.name)
        if account is None:
            raise AccountError(f"there is no account {options.name}; `ivr agents list` shows all")
        if options.pin:
            account = replace(account, pin_hash=hash_pin(_secret("PIN")))
        else:
            md5, sha256 = ha1(account.user, _secret("password"), account.realm)
            account = replace(account, ha1_md5=md5, ha1_sha256=sha256)
        await accounts.put(account, time.time())
        print(f"changed {options.name}")
        return 0

    return work


def _remove(options: argparse.Namespace, _config: Config) -> Work:
    async def work(accounts: Accounts) -> int:
        if not await accounts.remove(options.name):
            raise AccountError(f"there is no account {options.name}; `ivr agents list` shows all")
        print(f"removed {options.name}")
        return 0

    return work


def _secret(what: str) -> str:
    """Asks twice on a terminal, else reads one line."""
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    first = getpass.getpass(f"{what}: ")
    if getpass.getpass(f"{what} again: ") != first:
        raise AccountError(f"that was not the same {what} twice")
    return first


def _queue(text: str) -> tuple[str, int]:
    name, colon, penalty = text.partition(":")
    if not name or (colon and not penalty.isdigit()):
        raise argparse.ArgumentTypeError(f"{text!r} is not QUEUE or QUEUE:PENALTY, like cards or cards:2")
    return name, int(penalty or 0)


def _skill(text: str) -> tuple[str, int]:
    name, _, level = text.partition("=")
    if not name or not level.isdigit() or int(level) not in _SKILL_LEVELS:
        raise argparse.ArgumentTypeError(f"{text!r} is not SKILL=LEVEL with a level from 1 to 10, like cards=3")
    return name, int(level)


def _member_json(member: Member) -> dict[str, object]:
    account = member.account
    return {
        "name": account.user,
        "display": account.display,
        "role": account.role,
        "enabled": account.enabled,
        "queues": dict(member.queues),
        "skills": dict(member.skills),
    }


def _table(members: list[Member]) -> Table:
    table = Table(box=None, pad_edge=False)
    for title in ("name", "display", "role", "queues", "skills"):
        table.add_column(title)
    for member in members:
        account = member.account
        queues = ", ".join(f"{queue}:{penalty}" if penalty else queue for queue, penalty in member.queues.items())
        skills = ", ".join(f"{skill}={level}" for skill, level in member.skills.items())
        table.add_row(account.user, account.display, account.role, queues, skills)
    return table
