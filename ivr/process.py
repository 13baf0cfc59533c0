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
    """Logs to standard error, one line a record, the process's name in it. `verbose` counts for children too."""
    if verbose:
        os.environ["HOTLINE_VERBOSE"] = "1"
    logging.basicConfig(
        level=logging.INFO if os.environ.get("HOTLINE_VERBOSE") else logging.WARNING,
        format=_line(name),
        stream=sys.stderr,
    )
    logging.getLogger("mqtt").setLevel(logging.CRITICAL)  # paho's word of a lost broker; ours is "bus away"
    logging.getLogger("httpx").setLevel(logging.WARNING)  # below, it writes addresses: they hold callers' numbers


def log_as(name: str) -> None:
    """Has the log call this process so from now on: after a fork it is another one."""
    for handler in logging.getLogger().handlers:
        handler.setFormatter(logging.Formatter(_line(name)))


def _line(process: str) -> str:
    return f"%(asctime)s {process}[%(process)d] %(levelname)s %(name)s: %(message)s"


def signal_when_parent_dies(number: signal.Signals) -> None:
    """Has the kernel send this signal when the parent ends, however it ends (Linux prctl(2); elsewhere nothing)."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, int(number), 0, 0, 0)


def say_ready(name: str, **facts: object) -> None:
    """Tells the launcher that this process serves."""
    sys.stdout.write(json.dumps({"ready": name, **facts}) + "\n")
    sys.stdout.flush()
