"""What travels on the bus: topics, and the JSON envelope around every message.

    hotline/call/<call_id>/event     an event as it stands in the archive (recordings.event), data = that event
    hotline/<process>/<place>/state  retained: what a process does; an empty payload or state "gone": it is no more
    hotline/registration/<user>      retained: where the phones of an account are
    hotline/cmd/<target>             a command; answered on its `reply_to`
    hotline/reply/<client>           answers, `corr` = the command's id

MQTT 3.1.1 has no reply or expiry fields, so they ride in the envelope. No I/O, no clock.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from recordings.callid import is_call_id
from recordings.event import Event

VERSION = 1
MAX_BYTES = 256 << 10
CALL_EVENTS = "hotline/call/+/event"
STATES = "hotline/+/+/state"
GONE = "gone"


class MessageError(ValueError):
    """A payload is no envelope of this version; the text says which field is wrong."""

    code = "bus.message"


@dataclass(frozen=True, slots=True)
class Envelope:
    """`ts` and `expires_at` are Unix seconds; `corr` is the id of the message that this one answers."""

    id: str
    ts: float
    data: dict[str, Any] = field(default_factory=dict)
    reply_to: str = ""
    corr: str = ""
    expires_at: float | None = None

    def encode(self) -> bytes:
        """As it travels: JSON, UTF-8, fields without a value left out."""
        value: dict[str, Any] = {"v": VERSION, "id": self.id, "ts": round(self.ts, 3), "data": self.data}
        if self.reply_to:
            value["reply_to"] = self.reply_to
        if self.corr:
            value["corr"] = self.corr
        if self.expires_at is not None:
            value["expires_at"] = round(self.expires_at, 3)
        return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def decode(payload: bytes) -> Envelope:
    """Reads an envelope; an empty payload is that of a process that is gone. Raises MessageError."""
    if not payload:
        return Envelope("", 0.0, {"state": GONE})
    if len(payload) > MAX_BYTES:
        raise MessageError(f"{len(payload)} bytes are more than {MAX_BYTES}")
    try:
        value = json.loads(payload)
    except (ValueError, RecursionError) as error:
        raise MessageError(f"not JSON: {error}") from error
    if not isinstance(value, dict) or value.get("v") != VERSION:
        raise MessageError(f"v: not an envelope of version {VERSION}")
    reply_to, corr = value.get("reply_to", ""), value.get("corr", "")
    for name, text in (("id", value.get("id")), ("reply_to", reply_to), ("corr", corr)):
        if not isinstance(text, str):
            raise MessageError(f"{name}: not a text")
    ts, expires_at, data = value.get("ts"), value.get("expires_at"), value.get("data")
    if isinstance(ts, bool) or not isinstance(ts, int | float):
        raise MessageError("ts: not a time")
    if expires_at is not None and (isinstance(expires_at, bool) or not isinstance(expires_at, int | float)):
        raise MessageError("expires_at: not a time")
    if not isinstance(data, dict):
        raise MessageError("data: not an object")
    return Envelope(value["id"], ts, data, reply_to, corr, expires_at)


def call_event_topic(call_id: str) -> str:
    """Where the events of one call are published."""
    return f"hotline/call/{call_id}/event"


def state_topic(process: str, place: str) -> str:
    """Where a process tells its state, retained."""
    return f"hotline/{process}/{place}/state"


def registration_topic(user: str) -> str:
    """Where the door tells the phones of an account, retained."""
    return f"hotline/registration/{user}"


def command_topic(target: str) -> str:
    """Where commands to `target` ("control", "call/<call_id>", ...) go."""
    return f"hotline/cmd/{target}"


def reply_topic(client: str) -> str:
    """Where the answers to one client go."""
    return f"hotline/reply/{client}"


def parse_call_event(topic: str, data: Mapping[str, Any]) -> tuple[str, Event]:
    """The call and the event of a message on a `call_event_topic`. Raises MessageError."""
    parts = topic.split("/")
    if len(parts) != 4 or not is_call_id(parts[2]):
        raise MessageError(f"{topic!r} is not the topic of a call")
    try:
        return parts[2], Event.from_json(dict(data))
    except ValueError as error:
        raise MessageError(str(error)) from error
