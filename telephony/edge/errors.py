"""What the front door raises.

EdgeError
└── MalformedError   a piece of a SIP message breaks the grammar of RFC 3261
"""


class EdgeError(Exception):
    """Root of the front door's errors."""

    code = "edge"


class MalformedError(EdgeError):
    """A URI, address or header value breaks the grammar. The text says which, without the caller's data."""

    code = "malformed"
