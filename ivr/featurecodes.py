"""What an agent or supervisor may dial: `*` codes as called numbers. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass

from ivr.whohears import Mode

_MODES = {"1": Mode.LISTEN, "2": Mode.WHISPER, "3": Mode.INTRUDE}
_DOINGS = {"40": "logout", "41": "login", "42": "ready", "43": "pause", "44": "wrapped_up"}


@dataclass(frozen=True, slots=True)
class AgentFeature:
    """What an agent wants of control: `do` is login, logout, ready, pause or wrapped_up; `detail` the reason of a
    pause or the disposition, "" for none.
    """

    do: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class SuperviseFeature:
    """Somebody wants to take part in an agent's call."""

    agent: str
    mode: Mode


Feature = AgentFeature | SuperviseFeature


def feature_of(called: str, pause_reasons: Mapping[str, str], dispositions: Mapping[str, str]) -> Feature | None:
    """What a called number such as `*41` or `*1anna` means; None where it means nothing.

    `*43` and `*44` may be followed by the number of a reason or a disposition; one that is not in the table counts as
    it was dialled.
    """
    if not called.startswith("*") or len(called) < 3:
        return None
    if called[1] in _MODES:
        return SuperviseFeature(called[2:], _MODES[called[1]])
    doing = _DOINGS.get(called[1:3])
    number = called[3:]
    match doing:
        case None:
            return None
        case "pause":
            return AgentFeature(doing, pause_reasons.get(number, number))
        case "wrapped_up":
            return AgentFeature(doing, dispositions.get(number, number))
        case _ if number:
            return None
        case _:
            return AgentFeature(doing)
