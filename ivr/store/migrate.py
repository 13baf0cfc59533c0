"""Brings a store to the tables of this version, with Alembic; each change is a file in `migrations/versions`."""
# ruff: noqa: PLC0415 - a process that finds the store up to date does not read Alembic, and serves sooner

from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa

if TYPE_CHECKING:
    from alembic.config import Config

_FOLDER = Path(__file__).parent / "migrations"
_VERSION = "alembic_version"


def upgrade(connection: sa.Connection, to: str = "head") -> None:
    """Runs the migrations that are missing, in the transaction of `connection`."""
    if to == "head" and _version(connection) == newest():
        return
    from alembic import command

    command.upgrade(_config(connection), to)


def downgrade(connection: sa.Connection, to: str = "base") -> None:
    """Takes migrations back, in the transaction of `connection`."""
    from alembic import command

    command.downgrade(_config(connection), to)


def newest() -> str:
    """The version of the tables that this program wants: the number that the last file's name begins with."""
    return max(path.name for path in (_FOLDER / "versions").glob("[0-9]*.py")).split("_")[0]


def _version(connection: sa.Connection) -> str:
    if not sa.inspect(connection).has_table(_VERSION):
        return ""
    return str(connection.execute(sa.text(f"SELECT version_num FROM {_VERSION}")).scalar() or "")  # noqa: S608


def _config(connection: sa.Connection) -> "Config":
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_FOLDER).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config
