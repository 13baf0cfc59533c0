"""`ivr agents`: who may log in, which queues they serve, what they can, and what they do now."""

import argparse
import asyncio
import getpass
import json
import sys
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from datetime import datetime

from rich.table import Table

from ivr import callview
from ivr.accounts import AccountError, Role, ha1, hash_pin, new_account
from ivr.bus import Bus, BusError
from ivr.busaddress import address_finder
from ivr.config import Config
from ivr.liveboard import AgentLine, agent_lines
from ivr.openstore import with_database
from ivr.store.accounts import Accounts, Member
from ivr.store.database import Database
from ivr.store.errors import StoreError
from ivr.store.live import Live

Work = Callable[[Accounts], Awaitable[int]]
_SKILL_LEVELS = range(1, 11)
_ANSWER_S = 5.0
_PHONE = {True: "yes", False: "no", None: "?"}
_STATES = {
    "login": "has an agent take part, as the star code does",
    "ready": "ends a pause or a wrap-up",
    "pause": "gives an agent no more calls; after the present one, if there is one",
    "logout": "has an agent leave; after the present call, if there is one",
}


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
    for do, about in _STATES.items():
        changing = actions.add_parser(do, help=about)
        changing.add_argument("name", metavar="NAME")
        if do == "pause":
            changing.add_argument("--reason", default="", metavar="TEXT", help="why: lunch, training, ...")


def run(options: argparse.Namespace, config: Config) -> int:
    """`ivr agents ...`: 0 when it was done, 1 when it was refused."""
    actions = {"add": _add, "password": _password, "remove": _remove}
    try:
        if options.action in _STATES:
            return asyncio.run(_change(options, config))
        if options.action == "list":
            return asyncio.run(with_database(config, lambda database: _list(options, database)))
        work = actions[options.action](options, config)
        return asyncio.run(with_database(config, lambda database: work(Accounts(database))))
    except (AccountError, StoreError, BusError) as error:
        print(f"ivr agents: {error}", file=sys.stderr)
        return 1


async def _list(options: argparse.Namespace, database: Database) -> int:
    members = await Accounts(database).members()
    now = {line.agent: line for line in agent_lines(await Live(database, {}).board())}
    if options.json:
        found = [_member_json(member, now.get(member.account.user)) for member in members]
        print(json.dumps(found, ensure_ascii=False, indent=1))
    elif members:
        callview.console().print(_table(members, now))
    else:
        print("No accounts yet: ivr agents add NAME --queue QUEUE")
    return 0


async def _change(options: argparse.Namespace, config: Config) -> int:
    """Asks control, who alone changes what an agent does."""
    data = {"command": "agent", "agent": options.name, "do": options.action, "by": f"{getpass.getuser()} (ivr agents)"}
    async with Bus(address_finder(config), "ivr") as bus:
        answer = await bus.request("acd", {**data, "reason": getattr(options, "reason", "")}, _ANSWER_S)
    print(f"{options.name}: {answer['state']}{_dash(answer['reason'])}")
    return 0


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


def _member_json(member: Member, now: AgentLine | None) -> dict[str, object]:
    account = member.account
    return {
        "name": account.user,
        "display": account.display,
        "role": account.role,
        "enabled": account.enabled,
        "queues": dict(member.queues),
        "skills": dict(member.skills),
        "state": now.state if now else None,
        "since": now.since if now else None,
        "reason": now.reason if now else "",
        "next": now.next if now else "",
        "call_id": now.call_id if now else None,
        "registered": now.registered if now else None,
    }


def _table(members: list[Member], now: Mapping[str, AgentLine]) -> Table:
    table = Table(box=None, pad_edge=False)
    for title in ("name", "display", "role", "state", "since", "phone", "call", "queues", "skills"):
        table.add_column(title)
    for member in members:
        account = member.account
        queues = ", ".join(f"{queue}:{penalty}" if penalty else queue for queue, penalty in member.queues.items())
        skills = ", ".join(f"{skill}={level}" for skill, level in member.skills.items())
        line = now.get(account.user)
        does = (_does(line), _since(line), _PHONE[line.registered], line.call_id or "") if line else ("", "", "", "")
        table.add_row(account.user, account.display, account.role, *does, queues, skills)
    return table


def _does(line: AgentLine) -> str:
    return f"{line.state}{_dash(line.reason)}" + (f", then {line.next}" if line.next else "")


def _since(line: AgentLine) -> str:
    return f"{datetime.fromtimestamp(line.since).astimezone():%H:%M:%S}" if line.since else ""


def _dash(text: str) -> str:
    return f": {text}" if text else ""
