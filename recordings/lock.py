"""Who may change a bundle: the process that holds the flock(2) of its `lock` file.

The call's process holds it for life, so a bundle in `open/` whose lock can be taken is torn: its process is gone.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from recordings.errors import BundleBusyError, CallNotFoundError

LOCK = "lock"


def take(bundle: Path) -> int:
    """Takes the lock without waiting; returns the descriptor that holds it until it is closed.

    Raises BundleBusyError, and CallNotFoundError when the bundle is not (or no longer) there.
    """
    path = bundle / LOCK
    try:
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except FileNotFoundError as error:
        raise CallNotFoundError(f"{bundle} is not there") from error
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # Between open and flock the holder may have moved the bundle on; then this is the lock of another place.
        if not os.path.samestat(os.fstat(fd), path.stat()):
            raise CallNotFoundError(f"{bundle} was moved")
    except BlockingIOError as error:
        os.close(fd)
        raise BundleBusyError(f"{bundle} is in use") from error
    except FileNotFoundError as error:
        os.close(fd)
        raise CallNotFoundError(f"{bundle} was moved") from error
    except CallNotFoundError:
        os.close(fd)
        raise
    return fd


@contextmanager
def held(bundle: Path) -> Iterator[None]:
    """Holds the lock inside the `with` block. Raises as `take` does."""
    fd = take(bundle)
    try:
        yield
    finally:
        os.close(fd)
