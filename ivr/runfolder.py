"""The run folder, for one hotline at a time: a second one would take the first one's sockets and bus away."""

import fcntl
import os
from pathlib import Path

_LONGEST_NAME = len("/speech.sock")
_UNIX_PATH_BYTES = 107  # sockaddr_un, unix(7)


class RunFolderError(Exception):
    """The run folder cannot be used; the text says why and what to do."""

    code = "run_folder"


def claim(folder: Path) -> int:
    """Claims the folder for this process, as long as the returned descriptor is open. Raises RunFolderError."""
    too_long = len(os.fsencode(folder)) + _LONGEST_NAME - _UNIX_PATH_BYTES
    if too_long > 0:
        raise RunFolderError(
            f"{folder} is {too_long} bytes too long for the sockets in it. Choose a shorter [ivr] data in config.toml."
        )
    lock = os.open(folder / "hotline.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = os.read(lock, 20).decode() or "unknown"
        os.close(lock)
        raise RunFolderError(
            f"A hotline runs on {folder.parent} already (process {holder}). End it, or give this one other [ivr] data "
            "and another [telephony] port in config.toml."
        ) from None
    os.ftruncate(lock, 0)
    os.write(lock, str(os.getpid()).encode())
    return lock
