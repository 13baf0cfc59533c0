"""What can go wrong with Kamailio.

KamailioError
├── MissingError   the program or a module of it is not installed
└── RpcError       it does not answer the sidecar, or refuses
"""


class KamailioError(Exception):
    """The root."""

    code = "kamailio"


class MissingError(KamailioError):
    """Kamailio is not installed, or not all of it; the text says what to install."""

    code = "kamailio.missing"


class RpcError(KamailioError):
    """Kamailio refused a command or did not answer. `status` is its own code, 0 for silence."""

    code = "kamailio.rpc"

    def __init__(self, text: str, status: int = 0) -> None:
        super().__init__(text)
        self.status = status
