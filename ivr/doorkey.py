"""The front door's key, kept so that live calls find their way through a restarted door."""

import os
import secrets
from pathlib import Path

KEY_BYTES = 32


def door_key(folder: Path) -> bytes:
    """The key that seals Record-Route; made when there is none yet, for this user's eyes only."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "door.key"
    try:
        kept = path.read_bytes()
    except FileNotFoundError:
        kept = b""
    if len(kept) == KEY_BYTES:
        return kept
    fresh = secrets.token_bytes(KEY_BYTES)
    part = folder / f"door.key.{os.getpid()}"
    part.touch(mode=0o600)
    part.write_bytes(fresh)
    part.replace(path)
    return fresh
