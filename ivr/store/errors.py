"""What the store can answer instead of rows.

StoreError
├── StoreUnavailableError  store.unavailable  not there, not ready, locked, full: try again later
└── StoreRefusedError      store.refused      these rows will never be taken
"""


class StoreError(Exception):
    """The root; `code` is for programs."""

    code = "store"


class StoreUnavailableError(StoreError):
    """The store cannot answer now."""

    code = "store.unavailable"


class StoreRefusedError(StoreError):
    """The store answers, and does not take these rows."""

    code = "store.refused"
