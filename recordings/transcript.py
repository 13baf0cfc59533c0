"""Who said what, when: the conversation as lines, from the call's events. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from math import isfinite
from typing import Any

from recordings.event import Event, sample_of

_RATE_HZ = 8000


@dataclass(frozen=True, slots=True)
class Line:
    """What one side said or pressed. Times are seconds since the call's media began.

    `kind`: "speech" (caller), "keys" (caller), "prompt" (hotline). `cut` is why a prompt did not play to its end. `seq`
    and `last_seq` are the first and the last event that went into the line.
    """

    who: str
    kind: str
    start_s: float
    end_s: float
    text: str
    step: str = ""
    confidence: float | None = None
    cut: str = ""
    seq: int = 0
    last_seq: int = 0

    def to_json(self) -> dict[str, Any]:
        """As in transcript.json."""
        value = {"who": self.who, "kind": self.kind, "start_s": self.start_s, "end_s": self.end_s, "text": self.text}
        if self.step:
            value["step"] = self.step
        if self.confidence is not None:
            value["confidence"] = self.confidence
        if self.cut:
            value["cut"] = self.cut
        return value


def lines_of(events: Iterable[Event]) -> list[Line]:
    """The conversation in order of time. Keys in a row are one line; utterances without words are left out."""
    lines: list[Line] = []
    prompts: dict[str, int] = {}
    step = ""
    for event in events:
        at_s = (event.sample or 0) / _RATE_HZ
        match event.kind:
            case "step.entered":
                step = str(event.data.get("step", ""))
            case "prompt.started":
                prompts[str(event.data.get("prompt"))] = len(lines)
                lines.append(_prompt(event, at_s, step))
            case "prompt.ended":
                place = prompts.pop(str(event.data.get("prompt")), None)
                if place is not None:
                    lines[place] = _ended(lines[place], event, at_s)
            case "utterance" if event.data.get("text"):
                lines.append(_utterance(event, at_s, step))
            case "key":
                last = lines[-1] if lines else None
                if last is not None and last.kind == "keys" and last.step == step:
                    lines[-1] = replace(last, end_s=at_s, text=last.text + _key(event), last_seq=event.seq)
                else:
                    lines.append(
                        Line("caller", "keys", at_s, at_s, _key(event), step, seq=event.seq, last_seq=event.seq)
                    )
    return sorted(lines, key=lambda line: line.start_s)


def text_of(lines: Iterable[Line]) -> str:
    """The conversation to read: one line each, `mm:ss.t  who  text`."""
    return "".join(f"{clock(line.start_s)}  {line.who:<8} {words(line)}\n" for line in lines)


def words(line: Line) -> str:
    """What was said; keys are named as such, a prompt that was cut short ends in a dash."""
    if line.kind == "keys":
        return f"[keys {line.text}]"
    return f"{line.text} —" if line.cut == "barge_in" else line.text


def clock(seconds: float) -> str:
    """Time within a call: `mm:ss.t`."""
    tenths = round(seconds * 10)
    return f"{tenths // 600:02}:{tenths // 10 % 60:02}.{tenths % 10}"


def _prompt(event: Event, at_s: float, step: str) -> Line:
    text = str(event.data.get("text") or f"[{event.data.get('file') or 'prompt'}]")
    return Line(
        "hotline", "prompt", at_s, at_s, text, str(event.data.get("step") or step), seq=event.seq, last_seq=event.seq
    )


def _ended(line: Line, event: Event, at_s: float) -> Line:
    reason = str(event.data.get("reason", ""))
    cut = "" if reason == "finished" else reason
    played_ms = event.data.get("played_ms")
    if cut and isinstance(
        played_ms, int | float
    ):  # it fell silent when the caller spoke, and ended once that was words
        at_s = min(at_s, line.start_s + played_ms / 1000)
    return replace(line, end_s=at_s, cut=cut, last_seq=event.seq)


def _utterance(event: Event, at_s: float, step: str) -> Line:
    data = event.data
    start, end = sample_of(data.get("start_sample")), sample_of(data.get("end_sample"))
    sure = data.get("confidence")
    return Line(
        "caller",
        "speech",
        at_s if start is None else start / _RATE_HZ,
        at_s if end is None else end / _RATE_HZ,
        str(data["text"]),
        str(data.get("step") or step),
        sure if isinstance(sure, float | int) and isfinite(sure) else None,
        seq=event.seq,
        last_seq=event.seq,
    )


def _key(event: Event) -> str:
    return str(event.data.get("key", "?"))
