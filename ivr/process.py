"""What every process of Hotline does at its start: logging, dying with its parent, saying that it is ready.

The launcher reads one JSON line from a child's standard output; everything else goes to standard error.
"""

import ctypes
import json
import logging
import os
import signal
import sys

EXIT_CANNOT_START = 3  # a mistake that another try cannot mend: port in use, wrong model, broken settings
_PR_SET_PDEATHSIG = 1


def set_up_logging(name: str, *, verbose: bool = False) -> None:
    """Logs to standard error, one line a record, the process's name in it."""
    logging.basicConfig(
        level=logging.INFO if verbose or os.environ.get("HOTLINE_VERBOSE") else logging.WARNING,
        format=f"%(asctime)s {name}[%(process)d] %(levelname)s %(name)s: %(message)s",
        stream=sys.stderr,
    )
    logging.getLogger("httpx").setLevel(logging.WARNING)  # below, it writes addresses: they hold callers' numbers


def signal_when_parent_dies(number: signal.Signals) -> None:
    """Has the kernel send this signal when the parent ends, however it ends (Linux prctl(2); elsewhere nothing)."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, int(number), 0, 0, 0)


def say_ready(name: str, **facts: object) -> None:
    """Tells the launcher that this process serves."""
    sys.stdout.write(json.dumps({"ready": name, **facts}) + "\n")
    sys.stdout.flush()
