"""What happened between a caller and people, in words for `ivr show`. Pure."""

from collections.abc import Callable, Mapping
from typing import Any

from recordings.event import Event

Data = Mapping[str, Any]
_NOT_TAKEN = {
    "queue.no_agents": "nobody is there to answer",
    "queue.full": "it is as long as it may be",
    "queue.unknown": "there is no such queue",
}


def _joined(data: Data) -> str:
    place = f", place {data['position']}" if data.get("position") else ""
    wait = data.get("expected_wait_s")
    return f"waits in queue {_of(data, 'queue')}{place}{f', expected wait {wait:.0f} s' if wait else ''}"


def _left(data: Data) -> str:
    if reason := _NOT_TAKEN.get(data.get("reason", "")):
        return f"not taken into queue {_of(data, 'queue')}: {reason}"
    waited = f" after {data['waited_s']:.0f} s" if "waited_s" in data else ""
    return f"left queue {_of(data, 'queue')}{waited}: {_of(data, 'reason')}"


def _transfer(data: Data) -> str:
    return f"transfer to {_of(data, 'to')}: {data.get('outcome') or data.get('mode') or 'begun'}"


def _message(data: Data) -> str:
    return f"message for {_of(data, 'mailbox')}, {data.get('seconds', 0):.0f} s: {_of(data, 'file')}"


_WORDS: dict[str, Callable[[Data], str]] = {
    "queue.joined": _joined,
    "queue.offered": lambda data: f"rings {_of(data, 'agent')}",
    "queue.rang": lambda data: f"{_of(data, 'agent')}: {_of(data, 'outcome')}",
    "queue.answered": lambda data: f"talks with {_of(data, 'agent')} after {data.get('waited_s', 0):.1f} s",
    "queue.left": _left,
    "queue.moved": lambda data: f"moved to queue {_of(data, 'queue')}",
    "agent.talk": lambda data: f"{_of(data, 'agent')}: {_of(data, 'state')}",
    "consult.started": lambda data: f"the agent consults {_of(data, 'number')}",
    "consult.rang": lambda data: f"consultation: {_of(data, 'outcome')}",
    "consult.ended": lambda data: f"consultation over: {_of(data, 'reason')}",
    "transfer.started": _transfer,
    "transfer.ended": _transfer,
    "voicemail": _message,
    "supervised": lambda data: f"supervisor {_of(data, 'who')}: {_of(data, 'what')}",
}


def in_words(event: Event) -> str | None:
    """The event in words; None for one that is not about people."""
    words = _WORDS.get(event.kind)
    if words is None:
        return None
    try:
        return words(event.data)
    except (TypeError, ValueError):  # an archive may have been written by anybody
        return event.kind


def _of(data: Data, name: str) -> str:
    return str(data.get(name, "?"))
