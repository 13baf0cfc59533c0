"""Alembic's entry: runs the migrations on the connection that `ivr.store.migrate` hands over."""

from alembic import context

from ivr.store import acdtables, people, tokens  # noqa: F401 - their tables belong to the metadata
from ivr.store.schema import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
with context.begin_transaction():
    context.run_migrations()
