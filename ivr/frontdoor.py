"""The process `ivr door`: the front door that `[telephony] door` names."""

from ivr import door, kamailiodoor
from ivr.config import Config


def main(config: Config) -> int:
    """Serves until SIGTERM or SIGINT; the exit code is that of the door."""
    return kamailiodoor.main(config) if config.telephony.door == "kamailio" else door.main(config)
