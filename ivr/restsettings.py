"""[rest] of config.toml."""

from pydantic import Field

from ivr.doorsettings import Host
from ivr.settingstable import Table


class RestSettings(Table):
    """[rest]: where programs reach the hotline by HTTP; port 0: nowhere."""

    address: Host = "127.0.0.1"
    port: int = Field(8080, ge=0, le=65535)
