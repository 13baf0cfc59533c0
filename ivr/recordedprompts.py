"""Recorded prompts: where the file of one is, and which of a flow's cannot be played."""

from pathlib import Path

import flows
from flows.checks.report import Report
from flows.checks.walk import values
from flows.flow import Flow
from flows.problems import Problem
from flows.steps.base import Prompt, Recorded

LIBRARY = Path(flows.__file__).parent / "library"


def recorded(folder: Path, path: str) -> Path:
    """The file beside the flow, else the one of this name that comes with Hotline (music on hold)."""
    own, ours = folder / path, LIBRARY / path
    return ours if ours.is_file() and not own.is_file() else own


def unheard(flow: Flow) -> list[Problem]:
    """A warning for each recorded prompt that could not be played: a file beside the flow that is missing or no WAV."""
    report = Report(flow)
    folder = Path(flow.file).parent
    for start, model in (((), flow.header), *((("step", name), step) for name, step in flow.steps.items())):
        for path, prompt in values(model, start):
            parts = [part for _, parts in prompt.variants for part in parts] if isinstance(prompt, Prompt) else []
            for part in parts:
                if isinstance(part, Recorded) and (fault := _fault(recorded(folder, part.path))):
                    report.warning(
                        path, "file.unheard", f"{part.path} {fault}: callers hear nothing", "put a WAV there"
                    )
    return report.problems


def _fault(sound: Path) -> str:
    """Why a file cannot be played; "" if it can."""
    try:
        with sound.open("rb") as file:
            return "" if file.read(12)[8:] == b"WAVE" else "is no WAV file"
    except OSError as error:
        return f"cannot be read ({error.strerror})"
