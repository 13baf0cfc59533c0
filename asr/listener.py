"""Listens to one caller: voice detection, end-pointing and recognition put together.

`feed` does the first two at once, so that barge-in waits for nothing; recognition runs in its own thread and its
results come back through the `hand_over` given at construction. Everything else here belongs to one thread.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace

from asr import endpointer
from asr.endpointer import Began, Clock, Ended, Partial, State, Timeouts
from asr.recogniser import NOTHING, Expected, Heard, Recogniser, Word
from asr.recogniser_thread import Failure, FinalResult, PartialResult, RecogniserThread, Result
from asr.vad import RATE_HZ, Vad, VoiceStart

# The recogniser also hears this much from before the voice began: soft first sounds are below the detector's level.
PRE_ROLL = RATE_HZ * 3 // 10
# A caller who began to speak this shortly before `listen` is still taken in; older voice is noise or somebody else.
HEAD_START = 2 * RATE_HZ
# A recogniser needs some silence to settle on the last word; the rest of the wait for the end of the turn would cost as
# much as speech. It is held back, and sent if the caller goes on.
TAIL = RATE_HZ * 4 // 10
# A final result takes milliseconds; a recogniser that has none this long after the end of a turn hangs.
RESULT_DEADLINE = 4 * RATE_HZ


@dataclass(frozen=True, slots=True)
class VoiceStarted:
    """The detector's edge, whether anybody listens or not (for the archive)."""

    sample: int


@dataclass(frozen=True, slots=True)
class VoiceEnded:
    """The other edge."""

    sample: int


@dataclass(frozen=True, slots=True)
class SpeechStarted:
    """An utterance begins while listening; one `Utterance` follows, unless `stop` or another `listen` comes first."""

    sample: int


@dataclass(frozen=True, slots=True)
class PartialText:
    """The recogniser's present guess of the utterance under way."""

    text: str


@dataclass(frozen=True, slots=True)
class Utterance:
    """One turn of caller speech. Empty text: noise, nothing known, or no recogniser. `too_long`: cut at max_speech.

    Word times are seconds from the call's sample 0. `endpoint_sample` is where the end was decided.
    """

    text: str
    confidence: float
    words: tuple[Word, ...]
    speech_start_sample: int
    speech_end_sample: int
    endpoint_sample: int
    too_long: bool = False


@dataclass(frozen=True, slots=True)
class RecogniserFailed:
    """The recogniser broke or hangs. Comes once; from then on utterances are empty."""

    reason: str


ListenerEvent = VoiceStarted | VoiceEnded | SpeechStarted | PartialText | Utterance | RecogniserFailed


@dataclass(frozen=True, slots=True)
class _Open:
    """The utterance that is being spoken."""

    number: int
    first_sample: int


@dataclass(frozen=True, slots=True)
class _Pending:
    """An utterance that has ended and waits for its final result."""

    ended: Ended
    first_sample: int


class Listener:
    """Listens to one leg. `on_event` is called in the thread that calls `feed`, from within `feed` or a handed-over
    call, never from within `listen` or `stop`; it may itself call those two.

    `hand_over(function, argument)` makes that thread call the function soon: `loop.call_soon_threadsafe`.
    """

    def __init__(
        self,
        recogniser: Recogniser | None,
        on_event: Callable[[ListenerEvent], None],
        hand_over: Callable[[Callable[[Result], None], Result], object],
    ) -> None:
        self._on_event = on_event
        self._vad = Vad()
        self._state: State | None = None
        self._open: _Open | None = None
        self._pending: dict[int, _Pending] = {}
        self._number = 0
        self._listening = 0
        self._now = 0
        self._just_listening = False
        self._quiet_since: int | None = None
        self._held: list[bytes] = []
        self._history: deque[tuple[int, bytes]] = deque()
        self._thread: RecogniserThread | None = None
        if recogniser is not None:
            self._thread = RecogniserThread(recogniser, lambda result: hand_over(self._on_result, result))

    @property
    def dropped_samples(self) -> int:
        """Samples the recogniser never heard because it was more than 10 s behind."""
        return self._thread.dropped_bytes // 2 if self._thread else 0

    @property
    def can_hear(self) -> bool:
        """Whether there is a recogniser, and it works."""
        return self._thread is not None

    def listen(self, expected: Expected, timeouts: Timeouts | None = None) -> None:
        """From now on turns voice into utterances; what was listened to before is dropped."""
        self.stop()
        self._state = State(expected, timeouts or Timeouts(), now=self._now)
        self._just_listening = True

    def stop(self) -> None:
        """Drops the utterance under way and results still to come; only voice edges are reported from now on."""
        self._listening += 1
        self._state = None
        self._open = None
        self._pending.clear()
        if self._thread:
            self._thread.cancel(self._number)

    def close(self) -> None:
        """Ends listening for good, at the end of the call. Returns at once."""
        self.stop()
        if self._thread:
            self._thread.close()
            self._thread = None

    def feed(self, pcm8k: bytes, first_sample: int) -> None:
        """Takes the caller's next sound, mono int16; `first_sample` counts from the start of the call's media.

        Takes well under 1 ms of CPU for 60 ms of sound.
        """
        if first_sample != self._now:
            self._history.clear()
        self._now = first_sample + len(pcm8k) // 2
        self._remember(pcm8k, first_sample)
        if self._open:
            self._held.append(pcm8k)
            if self._quiet_since is None or first_sample - self._quiet_since <= TAIL:
                self._send_held()
        self._take_in_late_start()
        for edge in self._vad.feed(pcm8k, first_sample):
            if isinstance(edge, VoiceStart):
                self._quiet_since = None
                self._send_held()
                self._on_event(VoiceStarted(edge.sample))
            else:
                self._quiet_since = edge.sample
                self._on_event(VoiceEnded(edge.sample))
            self._step(edge)
        self._step(Clock(self._now))
        self._check_deadline()

    def _remember(self, pcm8k: bytes, first_sample: int) -> None:
        self._history.append((first_sample, pcm8k))
        keep_from = self._now - HEAD_START - PRE_ROLL
        while len(self._history) > 1 and self._history[1][0] <= keep_from:
            self._history.popleft()

    def _take_in_late_start(self) -> None:
        if not self._just_listening:
            return
        self._just_listening = False
        start = self._vad.start_sample
        if start is not None and self._now - start <= HEAD_START:
            self._step(VoiceStart(start, self._now))

    def _step(self, event: endpointer.Event) -> None:
        if self._state is None:
            return
        self._state, decisions = endpointer.step(self._state, event)
        expected, listening = self._state.expected, self._listening
        for decision in decisions:
            # The receiver of an event may have stopped listening, or begun anew: the rest is not his any more.
            if self._listening != listening:
                return
            match decision:
                case Began(sample):
                    self._begin(sample, expected)
                case Ended():
                    self._end(decision)

    def _begin(self, sample: int, expected: Expected) -> None:
        first = max(sample - PRE_ROLL, self._history[0][0])
        self._held.clear()
        self._number += 1
        self._open = _Open(self._number, first)
        if self._thread:
            self._thread.begin(self._number, expected)
            sound = b"".join(pcm for _, pcm in self._history)
            self._thread.sound(self._number, sound[2 * (first - self._history[0][0]) :])
        self._on_event(SpeechStarted(sample))

    def _send_held(self) -> None:
        if self._open and self._thread and self._held:
            self._thread.sound(self._open.number, b"".join(self._held))
        self._held.clear()

    def _end(self, ended: Ended) -> None:
        if self._open is None:
            return
        done, self._open = self._open, None
        pending = _Pending(ended, done.first_sample)
        if self._thread is None:
            self._report(pending, NOTHING)
            return
        self._pending[done.number] = pending
        self._thread.end(done.number)

    def _on_result(self, result: Result) -> None:
        match result:
            case PartialResult(number, text):
                if self._open and self._open.number == number:
                    self._on_event(PartialText(text))
                    if self._open and self._open.number == number:
                        self._step(Partial(text))
            case FinalResult(number, heard):
                pending = self._pending.pop(number, None)
                if pending:
                    self._report(pending, heard)
            case Failure(reason):
                self._fail(reason)

    def _report(self, pending: _Pending, heard: Heard) -> None:
        offset_s = pending.first_sample / RATE_HZ
        words = tuple(replace(w, start_s=w.start_s + offset_s, end_s=w.end_s + offset_s) for w in heard.words)
        ended = pending.ended
        self._on_event(
            Utterance(
                heard.text,
                heard.confidence,
                words,
                ended.start_sample,
                ended.end_sample,
                ended.decided_sample,
                ended.too_long,
            )
        )

    def _check_deadline(self) -> None:
        oldest = next(iter(self._pending.values()), None)
        if oldest and self._now - oldest.ended.decided_sample > RESULT_DEADLINE:
            self._fail(f"no result {RESULT_DEADLINE // RATE_HZ} s after the end of a turn")

    def _fail(self, reason: str) -> None:
        if self._thread is None:
            return
        self._thread.close()
        self._thread = None
        waiting = list(self._pending.values())
        self._pending.clear()
        listening = self._listening
        self._on_event(RecogniserFailed(reason))
        for pending in waiting:
            if self._listening == listening:
                self._report(pending, NOTHING)
