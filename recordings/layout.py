"""Where things are below the recordings folder, by state.

open/<call_id>/          the call is up, or its process died (then the lock can be taken)
closed/<call_id>/        finished: true WAV headers, manifest with "closed": true
YYYY/MM/DD/<call_id>/    sealed: stereo FLAC, transcript
"""

from pathlib import Path

from recordings.callid import day_of

OPEN = "open"
CLOSED = "closed"
UNSTORED = "unstored"
EVENTS = "events.jsonl"
TORN_EVENTS = "events.torn"
AUDIO = "call.flac"
RESERVE = ".reserve"
CALL_ENDED = "call.ended"


def open_place(folder: Path, call_id: str) -> Path:
    """Of a call that is up."""
    return folder / OPEN / call_id


def closed_place(folder: Path, call_id: str) -> Path:
    """Of a call that ended and waits to be sealed."""
    return folder / CLOSED / call_id


def sealed_place(folder: Path, call_id: str) -> Path:
    """Of a call in the archive."""
    return folder.joinpath(*day_of(call_id), call_id)


def unstored_mark(folder: Path, call_id: str) -> Path:
    """An empty file that says: this sealed call is not in the store yet."""
    return folder / UNSTORED / call_id
