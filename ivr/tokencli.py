"""`ivr token`: who may use the REST API."""

import argparse
import asyncio
import json
import sys
import time
from collections.abc import Awaitable, Callable

from rich.table import Table

from ivr import callview
from ivr.config import Config
from ivr.openstore import with_database
from ivr.store.accounts import Accounts
from ivr.store.database import Database
from ivr.store.errors import StoreError
from ivr.store.tokens import Tokens
from ivr.tokens import ApiRole, Token, TokenError, new_token

Work = Callable[[Database], Awaitable[int]]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the options of `ivr token`."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    adding = actions.add_parser("add", help="make a token and show it, this once")
    adding.add_argument("name", metavar="NAME", help="what it is for, like wallboard")
    adding.add_argument("--role", choices=[role.value for role in ApiRole], required=True)
    adding.add_argument(
        "--agent", metavar="AGENT", help="with --role agent: the one whose state it may change (default: NAME)"
    )
    listing = actions.add_parser("list", help="every token, not its secret")
    listing.add_argument("--json", action="store_true", help="a JSON array instead of a table")
    revoking = actions.add_parser("revoke", help="make a token worthless, at once")
    revoking.add_argument("name", metavar="NAME")


def run(options: argparse.Namespace, config: Config) -> int:
    """`ivr token ...`: 0 when it was done, 1 when it was refused."""
    work = {"add": _add, "list": _list, "revoke": _revoke}[options.action](options)
    try:
        return asyncio.run(with_database(config, work))
    except (TokenError, StoreError) as error:
        print(f"ivr token: {error}", file=sys.stderr)
        return 1


def _add(options: argparse.Namespace) -> Work:
    role = ApiRole(options.role)
    agent = (options.agent or options.name) if role is ApiRole.AGENT else options.agent

    async def work(database: Database) -> int:
        secret, token = new_token(options.name, role, time.time(), agent)
        if agent is not None and await Accounts(database).get(agent) is None:
            raise TokenError(f"there is no account {agent}; `ivr agents list` shows all, --agent names one")
        tokens = Tokens(database)
        if any(each.name == token.name for each in await tokens.all()):
            raise TokenError(f"there is a token {token.name} already; `ivr token revoke {token.name}` ends it")
        await tokens.add(token)
        print(secret)
        return 0

    return work


def _list(options: argparse.Namespace) -> Work:
    async def work(database: Database) -> int:
        found = await Tokens(database).all()
        if options.json:
            rows = [{"name": t.name, "role": t.role, "agent": t.agent, "made": t.made} for t in found]
            print(json.dumps(rows, ensure_ascii=False, indent=1))
        elif found:
            callview.console().print(_table(found))
        else:
            print("No tokens yet: ivr token add NAME --role ROLE")
        return 0

    return work


def _revoke(options: argparse.Namespace) -> Work:
    async def work(database: Database) -> int:
        if not await Tokens(database).remove(options.name):
            raise TokenError(f"there is no token {options.name}; `ivr token list` shows all")
        print(f"revoked {options.name}")
        return 0

    return work


def _table(found: list[Token]) -> Table:
    table = Table(box=None, pad_edge=False)
    for title in ("name", "role", "agent", "made"):
        table.add_column(title)
    for token in found:
        table.add_row(token.name, token.role, token.agent or "", callview.when(token.made))
    return table
