"""manifest.json: what a bundle holds. Written whole or not at all."""

import json
import os
from pathlib import Path
from typing import Any

from recordings.errors import BundleDamagedError

MANIFEST = "manifest.json"
FORMAT = 1


def read(bundle: Path) -> dict[str, Any]:
    """Reads the manifest. Raises BundleDamagedError, FileNotFoundError."""
    path = bundle / MANIFEST
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise BundleDamagedError(f"{path}: not JSON: {error}") from error
    if not isinstance(value, dict):
        raise BundleDamagedError(f"{path}: not a JSON object")
    return value


def write(bundle: Path, manifest: dict[str, Any], sync: bool = True) -> None:
    """Replaces the manifest in one step. Raises OSError."""
    temporary = bundle / f".{MANIFEST}"
    with temporary.open("wb") as file:
        file.write(json.dumps(manifest, ensure_ascii=False, indent=1).encode() + b"\n")
        if sync:
            file.flush()
            os.fsync(file.fileno())
    temporary.rename(bundle / MANIFEST)
