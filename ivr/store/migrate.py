"""Brings a store to the tables of this version, with Alembic; each change is a file in `migrations/versions`."""

from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config

_FOLDER = Path(__file__).parent / "migrations"


def upgrade(connection: sa.Connection, to: str = "head") -> None:
    """Runs the migrations that are missing, in the transaction of `connection`."""
    command.upgrade(_config(connection), to)


def downgrade(connection: sa.Connection, to: str = "base") -> None:
    """Takes migrations back, in the transaction of `connection`."""
    command.downgrade(_config(connection), to)


def _config(connection: sa.Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(_FOLDER).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config
