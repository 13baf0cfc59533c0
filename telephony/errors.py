"""The errors of telephony.

TelephonyError
├── StackError      telephony.stack      the SIP stack could not start (port in use, bad address)
└── DialError       telephony.dial       an outgoing call could not even be tried (bad URI)
"""


class TelephonyError(Exception):
    """Root of this folder's errors; `code` is for machines."""

    code = "telephony"


class StackError(TelephonyError):
    """The SIP stack could not start."""

    code = "telephony.stack"


class DialError(TelephonyError):
    """An outgoing call could not be tried."""

    code = "telephony.dial"
