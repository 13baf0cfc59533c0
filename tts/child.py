"""The program of an engine's own process: `python -m tts.child ENGINE MODELS DEADLINE`.

Reads one JSON line for each text from standard input and answers on standard output with a JSON line, followed by
`bytes` of samples (int16, the machine's order) when all is well. Ends when its input does. `tts.isolated` is the other
end.
"""

import json
import math
import os
import signal
import sys
from pathlib import Path
from typing import BinaryIO

from tts import engines
from tts.errors import SynthesiserFailed


def main(engine_name: str, models: str, deadline_s: str) -> int:
    """Serves texts until standard input ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the parent decides
    with os.fdopen(os.dup(1), "wb") as out:
        os.dup2(2, 1)  # a library that prints does not disturb the answers
        try:
            engine = engines.create(engine_name, Path(models))
        except SynthesiserFailed as error:
            _answer(out, {"error": error.code, "detail": str(error)})
            return 1
        _answer(out, {"ready": engine_name})
        for line in sys.stdin:
            # A hang in C code ends this process even when its parent is gone: nobody catches SIGALRM.
            signal.alarm(math.ceil(float(deadline_s)) + 5)
            request = json.loads(line)
            try:
                speech = engine.synthesise(request["text"], request["language"], request["voice"])
            except SynthesiserFailed as error:
                _answer(out, {"error": error.code, "detail": str(error)})
            else:
                data = speech.pcm.tobytes()
                _answer(out, {"rate_hz": speech.rate_hz, "bytes": len(data)}, data)
            signal.alarm(0)
    return 0


def _answer(out: BinaryIO, header: dict[str, object], data: bytes = b"") -> None:
    out.write(json.dumps(header).encode() + b"\n" + data)
    out.flush()


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
