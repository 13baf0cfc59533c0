"""Small files that only this user may read, replaced as a whole."""

import os
from pathlib import Path


def write_private(path: Path, text: str) -> None:
    """Writes the file anew: whoever reads it sees the old content or the new, also after a kill. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.{os.getpid()}")
    part.unlink(missing_ok=True)
    part.touch(mode=0o600)
    part.write_text(text)
    part.replace(path)
