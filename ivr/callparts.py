"""What everything that brings people into a call needs of it: its leg, its archive, its sound."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from ivr.clock import SampleClock
from ivr.prompts import PromptFiles, Speech
from ivr.tracks import Tracks
from telephony.stack import Stack


class Record(Protocol):
    """The call's archive: one event on the sample clock."""

    def __call__(self, kind: str, sample: int | None, leg: str | None, data: dict[str, Any]) -> object: ...


@dataclass(frozen=True, slots=True)
class CallParts:
    """One call's. `door` is where the front door takes SIP from workers, "host:port"; `music` gives the file that is
    heard on hold, `tone` that of a call-progress tone. Both raise OSError.
    """

    call_id: str
    caller: str
    called: str
    door: str
    stack: Stack
    speech: Callable[[], Speech]
    files: PromptFiles
    music: Callable[[], Path]
    tone: Callable[[str], Path]
    tracks: Tracks
    clock: SampleClock
    record: Record
    run_folder: Path
    rtp_timeout_s: float

    def note(self, kind: str, party: str | None = None, **data: Any) -> None:  # noqa: ANN401 - plain JSON
        """Writes an event into the archive, now."""
        self.record(kind, self.clock.now, party, data)

    @property
    def home(self) -> str:
        """Where others reach this hotline, "host:port": phones call back there, carriers see it in From."""
        public = self.stack.settings.public
        return f"{public}:{self.door.rpartition(':')[2]}" if public else self.door

    def uri_of(self, target: str) -> str:
        """The address that reaches an agent or a number by way of the door; a SIP URI stays as it is."""
        return target if target.startswith(("sip:", "<sip:")) else f"sip:{target}@{self.door}"
