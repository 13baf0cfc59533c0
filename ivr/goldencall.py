"""A golden conversation as a real call: what the test phone is to do, and whether the archive shows what it should.

Pure. `ivr.goldendial` makes the calls. A real call differs from the virtual one in what a machine cannot set: the
recogniser's confidence, chance, the clock, what web services answer; such conversations are left out, saying why.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from flows.flow import Flow
from flows.golden import Conversation, Outcome, Turn
from flows.nlu.words import is_han, normal
from flows.run import masked
from flows.steps.logic import Hours
from recordings.event import Event

VOICES = {"en": "en-us+m7", "zh": "cmn"}  # the espeak-ng voices that recognisers understand best
INTERRUPTS_AFTER_S = "1.2"
ENDS_WITHIN_S = "10"
_PEOPLE = {"queue", "transfer", "staffing", "callback"}
Known = Mapping[str, frozenset[str]]


def left_out(flow: Flow, conversation: Conversation, virtual: Outcome, known: Known) -> str:
    """Why a conversation cannot be a real call, "" when it can. `known` has the words of each language's recogniser."""
    asks = [
        (bool(conversation.answers) or "http" in virtual.asked, "web services answer what is written"),
        (bool(_PEOPLE & virtual.asked), "people answer as it is written"),
        (bool(conversation.fails), f"{', '.join(conversation.fails)} requests are made to fail"),
        (bool(conversation.random) or "random" in virtual.asked, "it goes by chance"),
        ("now" in conversation.model_fields_set or _looks_at_clock(flow, virtual), "it depends on the time of day"),
        ("caller" in conversation.model_fields_set, "the caller's number is set"),
        (bool(conversation.variables), "variables are set from outside"),
        (any(turn.waits for turn in conversation.turns), "its caller waits for a set time"),
        (any(turn.confidence < 1 for turn in conversation.turns), "the recogniser's confidence is set"),
    ]
    return next((why for true, why in asks if true), "") or _not_understood(conversation, known)


def voice(conversation: Conversation) -> str:
    """The test phone's voice for the conversation."""
    said = [turn.says for turn in conversation.turns if turn.says]
    return VOICES[_language(said[0]) if said else "en"]


def phone_turns(conversation: Conversation) -> list[str]:
    """The turns as options of `ivr dial`."""
    options: list[str] = []
    for turn in conversation.turns:
        if turn.interrupts:
            options += ["--wait", INTERRUPTS_AFTER_S]
        if turn.says is not None:
            options += ["--say", turn.says]
        if turn.keys is not None:
            options += ["--keys", turn.keys]
        if turn.silent:
            options += ["--silence"]
        if turn.hangs_up:
            break
    else:
        if conversation.turns[-1].ends is not None:
            options += ["--wait", ENDS_WITHIN_S]
    return options


def faults(
    flow: Flow, conversation: Conversation, began: Sequence[float], events: Sequence[Event]
) -> Iterable[tuple[int, str]]:
    """What is wrong with a call, each with the number of its turn.

    `began` has the Unix times at which the phone's turns began; what follows one, up to the next, is judged by what the
    archive has from that time. `events` are the call's, in order, the last one `call.ended`.
    """
    turns = list(began)
    since = events[0].wall
    for place, turn in enumerate(conversation.turns):
        if turn.acts and not turn.hangs_up:
            if not turns:
                yield place, f"the call was over before this turn: {_reason(events)}"
                return
            since = turns.pop(0)
        until = turns[0] if turns and _acts_later(conversation, place) else events[-1].wall + 1
        heard = _Stretch(flow, events, since, until)
        yield from ((place, what) for what in heard.faults(turn))


class _Stretch:
    """What the archive has of a call between two of the caller's turns."""

    def __init__(self, flow: Flow, events: Sequence[Event], since: float, until: float) -> None:
        self.flow = flow
        self.began = events[0].wall
        self.past = [event for event in events if event.wall < until]
        self.present = [event for event in self.past if event.wall >= since]

    def faults(self, turn: Turn) -> Iterable[str]:
        prompts = [event.data for event in self.present if event.kind == "prompt.started"]
        heard = " ".join(_words(prompt) for prompt in prompts)
        hidden = any(prompt.get("text") == "***" for prompt in prompts)
        if turn.hears is not None and not hidden and normal(turn.hears) not in normal(heard):
            yield f"expected to hear {turn.hears!r}, heard {heard!r}{self._understood()}"
        if turn.not_hears is not None and normal(turn.not_hears) in normal(heard):
            yield f"expected not to hear {turn.not_hears!r}, heard {heard!r}"
        entered = [str(event.data.get("step")) for event in self.past if event.kind == "step.entered"]
        if turn.step is not None and entered[-1:] != [turn.step]:
            yield f"expected to be in step {turn.step}, is in {''.join(entered[-1:])}{self._understood()}"
        for name, value in turn.variables.items():
            if (found := self._value(name)) not in (value, masked(value)):
                yield f"expected {name} = {value!r}, it is {found!r}{self._understood()}"
        emitted = [str(event.data.get("event")) for event in self.past if event.kind == "emit"]
        if turn.emitted is not None and turn.emitted not in emitted:
            yield f"expected the event {turn.emitted}, emitted were {', '.join(emitted) or 'none'}"
        last = self.past[-1]
        if turn.within is not None and last.wall - self.began > turn.within:
            yield f"expected within {turn.within:g} s, the call is at {last.wall - self.began:.1f} s"
        if turn.ends is not None and _reason(self.past) != turn.ends:
            yield f"expected the end {turn.ends}, it is: {_reason(self.past)}"

    def _value(self, name: str) -> object:
        """What a variable was last set to; values that must not be written down are stars."""
        told = [event.data for event in self.past if event.kind == "variable" and event.data.get("name") == name]
        return told[-1].get("value") if told else self.flow.header.variables.get(name)

    def _understood(self) -> str:
        heard = [event.data for event in self.present if event.kind == "utterance"]
        said = " / ".join(f"{data.get('text')!r} ({data.get('confidence') or 0:.2f})" for data in heard)
        return f", understood {said}" if said else ""


def _words(prompt: Mapping[str, Any]) -> str:
    file = f" [{prompt['file']}]" if prompt.get("file") else ""
    return f"{prompt.get('text', '')}{file}"


def _reason(events: Sequence[Event]) -> str:
    ended = [event.data for event in events if event.kind == "call.ended"]
    return str(ended[-1].get("reason") or ended[-1].get("termination")) if ended else "the call goes on"


def _acts_later(conversation: Conversation, place: int) -> bool:
    return any(turn.acts and not turn.hangs_up for turn in conversation.turns[place + 1 :])


def _looks_at_clock(flow: Flow, virtual: Outcome) -> bool:
    flows = {flow.name: flow, **flow.callees}
    return any(isinstance(flows[name].steps.get(step), Hours) for name, step in virtual.walked if name in flows)


def _language(said: str) -> str:
    return "zh" if is_han(said) else "en"


def _not_understood(conversation: Conversation, known: Known) -> str:
    words = {tag.split("-", 1)[0]: vocabulary for tag, vocabulary in known.items()}
    said = [turn.says for turn in conversation.turns if turn.says]
    languages = dict.fromkeys(map(_language, said))
    if missing := [language for language in languages if language not in words]:
        return f"it is spoken and config.toml has no recogniser for {', '.join(missing)}"
    if len(languages) > 1:
        return "its caller speaks two languages, the test phone has one voice"
    spoken = {word for text in said for word in normal(text).split() if not is_han(word)}
    unknown = sorted(spoken - words.get("en", frozenset())) if "en" in languages else []
    return f"the recogniser does not know: {', '.join(unknown)}" if unknown else ""
