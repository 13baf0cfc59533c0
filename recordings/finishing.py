"""From open to closed: true WAV headers, a whole manifest, one rename. The same steps for a call that ended and for one
whose process died; each may be done again after a kill at any point.
"""

import json
import os
from pathlib import Path
from typing import Any

from recordings import manifest, wav
from recordings.errors import BundleDamagedError
from recordings.layout import EVENTS


def finish(bundle: Path, target: Path, lost_samples: dict[str, int], lost_events: int) -> None:
    """Finishes the files of `bundle` (whose lock the caller holds, and whose events end in `call.ended`) and moves it.

    Raises OSError where the disk refuses.
    """
    for part in sorted(bundle.glob("*.wav.part")):
        try:
            wav.finish(part, part.with_suffix(""))
        except BundleDamagedError:
            part.rename(part.with_suffix(".damaged"))
    about = manifest.read(bundle)
    if not about.get("closed"):
        ended = last_event(bundle)
        about["legs"] = legs = {}
        for path in sorted(bundle.glob("*.wav")):
            legs[path.stem] = _leg(path, lost_samples.get(path.stem, 0))
        about["ended"] = ended["wall"]
        about["termination"] = ended["data"]["termination"]
        about["by"] = ended["data"]["by"]
        about["events"] = ended["seq"]
        about["lost_events"] = lost_events
        about["closed"] = True
        _sync(bundle / EVENTS)
        manifest.write(bundle, about)
    target.parent.mkdir(parents=True, exist_ok=True)
    bundle.rename(target)
    for folder in (target.parent, bundle.parent):
        _sync(folder)


def last_event(bundle: Path) -> dict[str, Any]:
    """The last event of a bundle. Raises BundleDamagedError where there is none."""
    with (bundle / EVENTS).open("rb") as file:
        lines = file.read().splitlines()
    try:
        event = json.loads(lines[-1])
    except (IndexError, ValueError) as error:
        raise BundleDamagedError(f"{bundle / EVENTS}: no last event: {error}") from error
    if not isinstance(event, dict):
        raise BundleDamagedError(f"{bundle / EVENTS}: the last line is not an event")
    return event


def _leg(path: Path, lost_samples: int) -> dict[str, Any]:
    rate_hz = wav.rate_of(path)
    samples = (path.stat().st_size - wav.HEADER_BYTES) // 2
    return {"file": path.name, "rate_hz": rate_hz, "samples": samples, "lost_samples": lost_samples}


def _sync(path: Path) -> None:
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
