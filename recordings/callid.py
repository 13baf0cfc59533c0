"""Names of calls: when the call began (UTC) and six random hex digits, sortable and safe in paths, topics and URLs."""

import re
from datetime import UTC, datetime
from random import Random

_CALL_ID = re.compile(r"\d{8}-\d{6}-[0-9a-f]{6}")


def new_call_id(wall: float, random: Random) -> str:
    """Makes a name like `20261121-031500-7f3a9c` from the Unix time and a source of randomness."""
    return f"{datetime.fromtimestamp(wall, UTC):%Y%m%d-%H%M%S}-{random.getrandbits(24):06x}"


def is_call_id(text: str) -> bool:
    """Whether the text is a call's name; everything that becomes a path is asked first."""
    return _CALL_ID.fullmatch(text) is not None


def day_of(call_id: str) -> tuple[str, str, str]:
    """Year, month and day (UTC) the call began, as written in its name: the archive's folders."""
    return call_id[:4], call_id[4:6], call_id[6:8]
