"""An engine in a process of its own: a crash or a hang in its C code costs one text and is repaired.

Owns the child's start, deadline and restart. The child's side is `tts.child`.
"""

import contextlib
import json
import os
import select
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np

from tts.errors import EngineCrashed, EngineTooSlow, from_code
from tts.synthesiser import Speech


class IsolatedSynthesiser:
    """A `Synthesiser` whose engine is started when first needed and again when it has died."""

    def __init__(self, engine: str, models: Path, deadline_s: float = 10.0, start_s: float = 30.0) -> None:
        self._command = [sys.executable, "-m", "tts.child", engine, str(models), str(deadline_s)]
        self._engine = engine
        self._deadline_s = deadline_s
        self._start_s = start_s
        self._lock = threading.Lock()
        self._child: subprocess.Popen[bytes] | None = None
        self._unread = b""
        self._closed = False

    @property
    def pid(self) -> int | None:
        """The child's process id, None when none runs."""
        return self._child.pid if self._child is not None else None

    def start(self) -> None:
        """Starts the engine now rather than with the first text. Raises EngineCrashed, VoiceMissing, EngineTooSlow."""
        with self._lock:
            self._ensure()

    def synthesise(self, text: str, language: str, voice: str) -> Speech:
        """See `Synthesiser`; may be called from any thread, texts take turns. Tries once more when the engine dies."""
        request = json.dumps({"text": text, "language": language, "voice": voice}).encode() + b"\n"
        with self._lock:
            try:
                return self._ask(request)
            except EngineCrashed:
                return self._ask(request)

    def close(self) -> None:
        """Ends the engine's process."""
        self._closed = True
        if self._child is not None:
            self._child.kill()  # without the lock: whoever waits for an answer has it
        with self._lock:
            self._kill()

    def _ask(self, request: bytes) -> Speech:
        child = self._ensure()
        until = time.monotonic() + self._deadline_s
        try:
            child.stdin.write(request)  # type: ignore[union-attr]
            child.stdin.flush()  # type: ignore[union-attr]
        except OSError as error:
            self._kill()
            raise EngineCrashed(f"the {self._engine} engine died") from error
        header = self._header(until)
        data = self._read(int(header["bytes"]), until)  # type: ignore[call-overload]
        return Speech(np.frombuffer(data, np.int16), int(header["rate_hz"]))  # type: ignore[call-overload]

    def _ensure(self) -> "subprocess.Popen[bytes]":
        if self._child is not None and self._child.poll() is None:
            return self._child
        self._kill()
        if self._closed:
            raise EngineCrashed(f"the {self._engine} engine is closed")
        environment = os.environ | {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
        child = subprocess.Popen(self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment)
        self._child, self._unread = child, b""
        self._header(time.monotonic() + self._start_s)
        return child

    def _header(self, until: float) -> dict[str, object]:
        while b"\n" not in self._unread:
            self._more(until)
        line, self._unread = self._unread.split(b"\n", 1)
        header: dict[str, object] = json.loads(line)
        if "error" in header:
            raise from_code(str(header["error"]), str(header["detail"]))
        return header

    def _read(self, count: int, until: float) -> bytes:
        while len(self._unread) < count:
            self._more(until)
        data, self._unread = self._unread[:count], self._unread[count:]
        return data

    def _more(self, until: float) -> None:
        """Appends what the child says next; kills it when that takes too long."""
        assert self._child is not None
        assert self._child.stdout is not None
        descriptor = self._child.stdout.fileno()
        poll = select.poll()
        poll.register(descriptor, select.POLLIN)
        if not poll.poll(max(0.0, until - time.monotonic()) * 1000):
            self._kill()
            raise EngineTooSlow(f"the {self._engine} engine made no speech within {self._deadline_s:g} s")
        piece = os.read(descriptor, 1 << 20)
        if not piece:
            self._kill()
            raise EngineCrashed(f"the {self._engine} engine died")
        self._unread += piece

    def _kill(self) -> None:
        child, self._child = self._child, None
        if child is None:
            return
        child.kill()
        child.wait()
        for pipe in (child.stdin, child.stdout):
            with contextlib.suppress(OSError):  # what was not sent to a dead engine is lost
                pipe.close()  # type: ignore[union-attr]
