"""Why calls end."""

from enum import StrEnum


class Termination(StrEnum):
    """Every call ends with exactly one of these."""

    COMPLETED = "completed"
    """The flow hung up."""
    CALLER_HANGUP = "caller_hangup"
    CANCELLED = "cancelled"
    """The caller gave up before the answer (CANCEL, or BYE before ACK)."""
    WORKER_DIED = "worker_died"
    """The call's process vanished; the archive closed the bundle."""
    FLOW_ERROR = "flow_error"
    MAX_DURATION = "max_duration"
    RTP_TIMEOUT = "rtp_timeout"
    NO_ACK = "no_ack"
    """The caller never acknowledged the answer (RFC 3261 section 13.3.1.4)."""
    CODEC_MISMATCH = "codec_mismatch"
    """Nothing in the caller's offer that both can speak: 488."""
    BAD_REQUEST = "bad_request"
    """The INVITE's body is no offer that can be read: 400, 415."""
    SHUTDOWN = "shutdown"
