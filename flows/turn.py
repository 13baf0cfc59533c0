"""Who may speak: barge-in, pause and resume, type-ahead. Pure, and knows nothing of steps.

While a prompt plays with barge_in true, the caller's first sound pauses it at once; what the sound turns out to be
decides whether it goes on (noise, "uh-huh") or is forgotten (words, a key). With "hotword" only words that fit stop it.
With false nothing does; keys wait until it has ended.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum

from flows.actions import Action, BargeIn, PausePrompt, ResumePrompt, StopPrompts


class Verdict(StrEnum):
    """What the step gets to know: HEARD an answer to judge, KEPT for later, or NOTHING that concerns it."""

    HEARD = "heard"
    KEPT = "kept"
    NOTHING = "nothing"


class Sound(StrEnum):
    """What an utterance amounts to: a MATCH with what is expected, other WORDS, a BACKCHANNEL, or NOISE."""

    MATCH = "match"
    WORDS = "words"
    BACKCHANNEL = "backchannel"
    NOISE = "noise"


@dataclass(frozen=True, slots=True)
class Playing:
    """A prompt that plays or waits its turn."""

    prompt: int
    barge_in: BargeIn


@dataclass(frozen=True, slots=True)
class Turn:
    """The prompts in their order, whether the first is paused, whether the caller speaks and is listened to."""

    queue: tuple[Playing, ...] = ()
    paused: bool = False
    speaking: bool = False
    listening: bool = False

    @property
    def mode(self) -> BargeIn | None:
        """What the prompt that plays now allows; None in silence."""
        return self.queue[0].barge_in if self.queue else None


Reply = tuple[Turn, tuple[Action, ...], Verdict]


def prompt_over(turn: Turn, prompt: int) -> Turn:
    """A prompt has ended: it and those before it leave the queue."""
    places = [place for place, playing in enumerate(turn.queue) if playing.prompt == prompt]
    if not places:
        return turn
    return replace(turn, queue=turn.queue[places[0] + 1 :], paused=False)


def speech_started(turn: Turn) -> Reply:
    """The caller makes a sound."""
    if not turn.listening:
        return turn, (), Verdict.NOTHING
    if turn.mode is BargeIn.YES and not turn.paused:
        return replace(turn, paused=True, speaking=True), (PausePrompt(),), Verdict.NOTHING
    return replace(turn, speaking=True), (), Verdict.NOTHING


def speech_partial(turn: Turn, matches: Callable[[], bool]) -> Reply:
    """A first guess of what is being said: enough to stop a hotword prompt."""
    if turn.listening and turn.mode is BargeIn.HOTWORD and matches():
        return replace(turn, queue=(), paused=False), (StopPrompts(),), Verdict.NOTHING
    return turn, (), Verdict.NOTHING


def speech_ended(turn: Turn, sound: Sound) -> Reply:
    """The utterance is over and was this."""
    ended = replace(turn, speaking=False)
    if not turn.listening:
        return ended, (), Verdict.NOTHING
    real = sound in (Sound.MATCH, Sound.WORDS)
    match turn.mode:
        case None:
            return ended, (), Verdict.HEARD if real else Verdict.NOTHING
        case BargeIn.NO:
            return ended, (), Verdict.NOTHING
        case BargeIn.HOTWORD:
            real = sound is Sound.MATCH
    if real:
        return replace(ended, queue=(), paused=False), (StopPrompts(),), Verdict.HEARD
    if turn.paused:
        return replace(ended, paused=False), (ResumePrompt(),), Verdict.NOTHING
    return ended, (), Verdict.NOTHING


def key_pressed(turn: Turn, asking: bool) -> Reply:
    """A key: heard by the step that asks, kept while nobody asks or the prompt must be heard out."""
    if not asking or turn.mode is BargeIn.NO:
        return turn, (), Verdict.KEPT
    if turn.queue:
        return replace(turn, queue=(), paused=False, speaking=False), (StopPrompts(),), Verdict.HEARD
    return replace(turn, speaking=False), (), Verdict.HEARD


def deaf(turn: Turn) -> Reply:
    """There is no recogniser any more: a paused prompt goes on."""
    actions = (ResumePrompt(),) if turn.paused else ()
    return replace(turn, paused=False, speaking=False, listening=False), actions, Verdict.NOTHING
