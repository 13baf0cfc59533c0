"""What every process does at its start."""

import subprocess
import sys
from pathlib import Path

LOGS = """
import logging, os
from ivr.process import log_as, set_up_logging
set_up_logging("zygote")
if os.fork() == 0:
    log_as("worker")
    logging.getLogger("ivr.worker").error("hangs")
    os._exit(0)
os.wait()
logging.getLogger("ivr.zygote").error("ended")
"""


def test_a_forked_worker_logs_under_its_own_name() -> None:
    """Its lines bore the zygote's name."""
    ran = subprocess.run(
        [sys.executable, "-c", LOGS], cwd=Path(__file__).parents[2], capture_output=True, text=True, check=True
    )
    first, second = ran.stderr.splitlines()
    assert " worker[" in first
    assert " zygote[" in second


VERBOSE = """
import subprocess, sys
from ivr.process import set_up_logging
set_up_logging("serve", verbose=True)
child = "import logging; from ivr.process import set_up_logging; set_up_logging('door'); logging.info('a caller')"
subprocess.run([sys.executable, "-c", child], check=True)
"""


def test_what_the_launcher_starts_says_as_much_as_it_was_asked_to() -> None:
    """`ivr serve -v` said no more than without it: its children did not know."""
    ran = subprocess.run(
        [sys.executable, "-c", VERBOSE], cwd=Path(__file__).parents[2], capture_output=True, text=True, check=True
    )
    assert "door[" in ran.stderr
    assert "a caller" in ran.stderr
