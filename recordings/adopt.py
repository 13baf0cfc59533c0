"""Takes sealed calls of another recordings folder into this one: those that a full disk sent elsewhere, or a copy."""

import shutil
from pathlib import Path

from recordings.errors import BundleCreateError
from recordings.layout import sealed_place, unstored_mark
from recordings.seal import mark_unstored


def adopt(source: Path, folder: Path, call_id: str) -> Path:
    """Moves a sealed call from below `source` to below `folder`; returns its new place. It is not in the store yet.

    Safe to be killed: the call is removed from `source` only once it is whole here. Raises BundleCreateError where a
    call of that name is here already, OSError.
    """
    theirs, ours = sealed_place(source, call_id), sealed_place(folder, call_id)
    if ours.exists():
        raise BundleCreateError(f"{ours} exists already")
    copy = ours.with_name(f".{call_id}")
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(theirs, copy)
    copy.rename(ours)
    mark_unstored(folder, call_id)
    shutil.rmtree(theirs)
    unstored_mark(source, call_id).unlink(missing_ok=True)
    return ours
