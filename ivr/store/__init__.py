"""The store: calls as rows, for lists, search and reports. The only user of SQLAlchemy and Alembic."""
