"""Runs one call's recogniser in a thread of its own, so that sound is never kept waiting.

The boundary between the asyncio thread (which calls the methods here) and the recogniser (which runs here). Owns order,
bounds and failure; when a turn begins and ends is `asr.listener`'s business.
"""

import contextlib
import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass

from asr.errors import RecogniserError
from asr.recogniser import Expected, Heard, Recogniser, Turn

# Sound that waits for a recogniser slower than speech: 10 s of 8 kHz int16. What comes on top is dropped and counted.
BACKLOG_BYTES = 10 * 16000


@dataclass(frozen=True, slots=True)
class PartialResult:
    """The text of an utterance so far."""

    utterance: int
    text: str


@dataclass(frozen=True, slots=True)
class FinalResult:
    """What was heard in an utterance."""

    utterance: int
    heard: Heard


@dataclass(frozen=True, slots=True)
class Failure:
    """The recogniser broke; the thread has ended."""

    reason: str


Result = PartialResult | FinalResult | Failure


@dataclass(frozen=True, slots=True)
class _Begin:
    utterance: int
    expected: Expected


@dataclass(frozen=True, slots=True)
class _Sound:
    utterance: int
    pcm8k: bytes


@dataclass(frozen=True, slots=True)
class _End:
    utterance: int


_Command = _Begin | _Sound | _End


class RecogniserThread:
    """One recogniser at work, utterance after utterance, each with a number that grows.

    `deliver` is called in the recogniser's thread and must not block (hand the result over and return). The methods
    never block; call them from one thread.
    """

    def __init__(self, recogniser: Recogniser, deliver: Callable[[Result], object]) -> None:
        self.dropped_bytes = 0
        self._recogniser = recogniser
        self._deliver = deliver
        self._commands: queue.Queue[_Command | None] = queue.Queue()
        self._lock = threading.Lock()
        self._waiting_bytes = 0
        self._cancelled = -1
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="recogniser", daemon=True)
        self._thread.start()

    def begin(self, utterance: int, expected: Expected) -> None:
        """Opens a turn; the sounds that follow belong to it."""
        self._commands.put(_Begin(utterance, expected))

    def sound(self, utterance: int, pcm8k: bytes) -> None:
        """Adds sound to the turn; dropped and counted when 10 s wait already."""
        with self._lock:
            if self._waiting_bytes + len(pcm8k) > BACKLOG_BYTES:
                self.dropped_bytes += len(pcm8k)
                return
            self._waiting_bytes += len(pcm8k)
        self._commands.put(_Sound(utterance, pcm8k))

    def end(self, utterance: int) -> None:
        """Closes the turn: its `FinalResult` follows."""
        self._commands.put(_End(utterance))

    def cancel(self, utterance: int) -> None:
        """Forgets this utterance and all before it: no further result of theirs is made."""
        self._cancelled = utterance

    def close(self) -> None:
        """Ends the thread soon; no result is delivered any more. A recogniser that hangs is left behind (daemon)."""
        self._closed = True
        self._commands.put(None)

    def join(self, timeout_s: float) -> bool:
        """Waits for the thread to end after `close`; false when it is still at work."""
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _run(self) -> None:
        turn: Turn | None = None
        try:
            while (command := self._commands.get()) is not None and not self._closed:
                turn = self._do(command, turn)
                self._commands.task_done()
        except RecogniserError as exc:
            self._tell(Failure(str(exc)))
        except Exception as exc:  # noqa: BLE001 - the thread's top frame: whatever broke, the call goes on by keys
            self._tell(Failure(f"{type(exc).__name__}: {exc}"))
        finally:
            if turn is not None:
                turn.close()

    def _do(self, command: _Command, turn: Turn | None) -> Turn | None:
        if isinstance(command, _Sound):
            with self._lock:
                self._waiting_bytes -= len(command.pcm8k)
        if command.utterance <= self._cancelled:
            if turn is not None:
                turn.close()
            return None
        match command:
            case _Begin():
                if turn is not None:
                    turn.close()
                return self._recogniser.open(command.expected)
            case _Sound():
                text = turn.accept(command.pcm8k) if turn else None
                if text is not None:
                    self._tell(PartialResult(command.utterance, text))
                return turn
            case _End():
                if turn is not None:
                    heard = turn.finish()
                    turn.close()
                    self._tell(FinalResult(command.utterance, heard))
                return None

    def _tell(self, result: Result) -> None:
        if not self._closed:
            # The event loop that takes results may have ended with the call while a turn was under way.
            with contextlib.suppress(RuntimeError):
                self._deliver(result)
