"""Queues, agents and supervisors in the script of a call."""

import pytest

from ivr.peopleview import in_words
from recordings.event import Event


@pytest.mark.parametrize(
    ("kind", "data", "words"),
    [
        (
            "queue.joined",
            {"queue": "cards", "position": 2, "expected_wait_s": 31.4},
            "waits in queue cards, place 2, expected wait 31 s",
        ),
        ("queue.joined", {"queue": "cards", "position": None, "expected_wait_s": None}, "waits in queue cards"),
        ("queue.offered", {"agent": "anna"}, "rings anna"),
        ("queue.rang", {"agent": "anna", "outcome": "busy"}, "anna: busy"),
        ("queue.answered", {"agent": "ben", "waited_s": 12.34}, "talks with ben after 12.3 s"),
        (
            "queue.left",
            {"queue": "cards", "reason": "timeout", "waited_s": 60.0},
            "left queue cards after 60 s: timeout",
        ),
        (
            "queue.left",
            {"queue": "cards", "reason": "queue.no_agents"},
            "not taken into queue cards: nobody is there to answer",
        ),
        (
            "voicemail",
            {"mailbox": "cards", "file": "message-1.wav", "seconds": 5.58},
            "message for cards, 6 s: message-1.wav",
        ),
        ("agent.talk", {"agent": "anna", "state": "hold"}, "anna: hold"),
        ("transfer.started", {"to": "0301", "mode": "blind"}, "transfer to 0301: blind"),
        ("transfer.ended", {"to": "0301", "mode": "blind", "outcome": "busy"}, "transfer to 0301: busy"),
        ("supervised", {"who": "boss", "what": "whisper"}, "supervisor boss: whisper"),
        ("queue.answered", {"agent": "ben", "waited_s": "soon"}, "queue.answered"),
        ("utterance", {"text": "hello"}, None),
    ],
)
def test_what_happened_is_told_in_words(kind: str, data: dict, words: str | None) -> None:
    assert in_words(Event(1, kind, 0, 0.0, None, data)) == words
