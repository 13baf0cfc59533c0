"""The models and voices that can be fetched, where they lie, and the commands `ivr models list` and `ivr models fetch`.

The catalogue is `models.toml` beside this file. A fetched model is the folder `<models>/<name>`; it appears there only
when it is whole and checked.
"""

# ruff: noqa: PLC0415 - tables and bars are for people; processes that resolve a name serve sooner without them

import fcntl
import json
import shutil
import stat
import tomllib
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import partial
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from ivr.download import FetchError, Remote, download

if TYPE_CHECKING:
    from rich.console import Console

CATALOGUE_FILE = Path(__file__).with_name("models.toml")
STARTER = Path(__file__).parents[1] / "asr" / "starter_en"
# A vosk archive unpacks to less than twice its size; what unpacks to more than this is an attack or a mistake.
MOST_UNPACKED = 20


class ModelMissing(Exception):  # noqa: N818 - says what is missing, as FileNotFoundError does
    """A model that the settings name is not there; the text says what to do."""

    code = "model_missing"


@dataclass(frozen=True, slots=True)
class ModelFile:
    """One file of a model, `path` relative to the model's base address."""

    path: str
    size_bytes: int | None
    checksum: tuple[str, str] | None


@dataclass(frozen=True, slots=True)
class Model:
    """One entry of the catalogue. `archive`: its one file is a zip with the model's folder in it."""

    name: str
    engine: str
    language: str
    licence: str
    about: str
    base: str
    archive: bool
    files: tuple[ModelFile, ...]

    @property
    def size_bytes(self) -> int | None:
        """What is to be downloaded, where known of every large file."""
        if all(file.size_bytes is None for file in self.files):
            return None
        return sum(file.size_bytes or 0 for file in self.files)

    @property
    def is_checked(self) -> bool:
        """Whether every file has a checksum."""
        return all(file.checksum for file in self.files)


def catalogue(file: Path = CATALOGUE_FILE) -> dict[str, Model]:
    """All models by name."""
    entries = tomllib.loads(file.read_text(encoding="utf-8"))
    return {name: _model(name, entry) for name, entry in entries.items()}


def _model(name: str, entry: Mapping[str, object]) -> Model:
    files = tuple(_file(file) for file in entry["files"])  # type: ignore[attr-defined]
    texts = (str(entry[key]) for key in ("engine", "language", "licence", "about", "base"))
    engine, language, licence, about, base = texts
    return Model(name, engine, language, licence, about, base, bool(entry.get("archive")), files)


def _file(entry: Mapping[str, object]) -> ModelFile:
    size = entry.get("size")
    kind = next((kind for kind in ("sha256", "md5") if kind in entry), None)
    return ModelFile(str(entry["path"]), int(str(size)) if size else None, (kind, str(entry[kind])) if kind else None)


def resolve(name: str, models_folder: Path, root: Path = Path()) -> Path:
    """Where the model lies that the settings name: "starter", a name of the catalogue, or a path (relative: to `root`).

    A piper voice is its .onnx file, every other model a folder. Raises ModelMissing.
    """
    if name == "starter":
        return STARTER
    known = catalogue()
    if model := known.get(name):
        place = _place(model, models_folder)
        if not place.exists():
            raise ModelMissing(f"the model {name} is not fetched yet: run `ivr models fetch {name}`")
        return place
    path = root / name
    if path.exists():
        return path
    close = get_close_matches(name, known, 1)
    hint = f"did you mean {close[0]}?" if close else "see `ivr models list`"
    raise ModelMissing(f"{name!r} is neither a model of the catalogue nor a folder ({path}); {hint}")


def _place(model: Model, models_folder: Path) -> Path:
    folder = models_folder / model.name
    return folder / f"{model.name}.onnx" if model.engine == "piper" else folder


def fetch(
    model: Model,
    models_folder: Path,
    progress: Callable[[str, int, int | None], None],
    mirror: str | None = None,
) -> Path:
    """Downloads, checks and unpacks a model; returns its place. One that is there already is left alone.

    `progress(file, done_bytes, total_bytes or None)`. `mirror` is an address below which the files lie by host and path
    (`<mirror>/huggingface.co/...`). Raises FetchError; what was downloaded is kept and used by the next try.
    """
    final = models_folder / model.name
    work = models_folder / f".{model.name}.fetching"
    try:
        work.mkdir(parents=True, exist_ok=True)
        with (work / "lock").open("w") as lock:
            _only_one(lock.fileno(), model.name)
            if not final.exists():
                _check_space(model, models_folder)
                ready = _download_all(model, work, progress, mirror)
                if model.archive:
                    ready = _unpack(ready / model.files[0].path, model.name, work / "unpacked")
                ready.replace(final)
            shutil.rmtree(work)
    except OSError as error:
        raise FetchError(f"cannot write below {models_folder}: {error}") from error
    return _place(model, models_folder)


def _only_one(lock: int, name: str) -> None:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise FetchError(f"{name} is being fetched by another process right now") from error


def _check_space(model: Model, folder: Path) -> None:
    needed = (model.size_bytes or 0) * (3 if model.archive else 1)
    free = shutil.disk_usage(folder).free
    if needed > free:
        raise FetchError(f"{model.name} needs about {_mb(needed)} below {folder}, where only {_mb(free)} are free")


def _download_all(
    model: Model, work: Path, progress: Callable[[str, int, int | None], None], mirror: str | None
) -> Path:
    ready = work / "files"
    ready.mkdir(exist_ok=True)
    for file in model.files:
        if not (ready / file.path).exists():
            remote = Remote(_mirrored(model.base + file.path, mirror), file.size_bytes, file.checksum)
            download(remote, ready / file.path, partial(progress, file.path))
    return ready


def _mirrored(url: str, mirror: str | None) -> str:
    if mirror is None:
        return url
    parts = urlsplit(url)
    return f"{mirror.rstrip('/')}/{parts.netloc}{parts.path}"


def _unpack(archive: Path, name: str, into: Path) -> Path:
    """Unpacks a zip whose one folder is the model; refuses paths that lead out of it, links and bombs.

    A refused archive is deleted, so that the next try fetches it anew.
    """
    shutil.rmtree(into, ignore_errors=True)
    try:
        with zipfile.ZipFile(archive) as zipped:
            _refuse_unsafe(zipped.infolist(), archive, name)
            zipped.extractall(into)
    except (zipfile.BadZipFile, RuntimeError, NotImplementedError) as error:
        archive.unlink()
        raise FetchError(f"{archive.name} is not a usable zip archive ({error}); deleted it, try again") from error
    except FetchError:
        archive.unlink()
        raise
    if not (into / name).is_dir():
        archive.unlink()
        raise FetchError(f"{archive.name} has no folder {name} in it; deleted it")
    return into / name


def _refuse_unsafe(entries: list[zipfile.ZipInfo], archive: Path, name: str) -> None:
    for entry in entries:
        path = PurePosixPath(entry.filename.replace("\\", "/"))
        is_link = stat.S_ISLNK(entry.external_attr >> 16)
        if path.is_absolute() or ".." in path.parts or not path.parts or path.parts[0] != name or is_link:
            raise FetchError(f"{archive.name} has an unsafe entry {entry.filename!r}; nothing was unpacked, deleted it")
    if sum(entry.file_size for entry in entries) > MOST_UNPACKED * max(archive.stat().st_size, 1):
        raise FetchError(f"{archive.name} would unpack to more than {MOST_UNPACKED} times its size; deleted it")


def list_models(models_folder: Path, *, as_json: bool = False, console: "Console | None" = None) -> int:
    """`ivr models list`: the catalogue and what of it is fetched. Returns the exit code."""
    from rich.console import Console

    console = console or Console()
    rows = [(model, _place(model, models_folder).exists()) for model in catalogue().values()]
    if as_json:
        console.print_json(json.dumps([_as_json(model, there) for model, there in rows], ensure_ascii=False))
        return 0
    widest = max((len(model.name) for model, _ in rows), default=0)
    for model, there in rows:
        size = _mb(model.size_bytes) if model.size_bytes else "?"
        notes = [] if model.is_checked else ["no checksum is published"]
        what = f"{model.engine} {model.language}: {model.about} ({', '.join([model.licence, *notes])})"
        line = f"{model.name:<{widest}}  {size:>8}  {'fetched ' if there else ''}{what}"
        console.print(line, soft_wrap=True, markup=False, highlight=False)  # a line each, however narrow the terminal
    return 0


def _as_json(model: Model, there: bool) -> dict[str, object]:
    return {
        "name": model.name,
        "engine": model.engine,
        "language": model.language,
        "size_bytes": model.size_bytes,
        "checked": model.is_checked,
        "fetched": there,
        "about": model.about,
        "licence": model.licence,
    }


def fetch_command(
    name: str, models_folder: Path, *, mirror: str | None = None, console: "Console | None" = None
) -> int:
    """`ivr models fetch NAME`: fetches with a progress bar. Returns the exit code: 0, 1 failed, 2 no such model."""
    from rich.console import Console

    console = console or Console(stderr=True)
    known = catalogue()
    model = known.get(name)
    if model is None:
        close = get_close_matches(name, known, 1)
        hint = f"did you mean {close[0]}?" if close else "`ivr models list` shows all"
        console.print(f"no model {name!r} in the catalogue; {hint}", highlight=False, markup=False)
        return 2
    if not model.is_checked:
        console.print(f"nobody publishes a checksum of {name}: what arrives cannot be checked", highlight=False)
    from rich.progress import (
        BarColumn,
        DownloadColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
        TransferSpeedColumn,
    )

    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    try:
        with Progress(*columns, TimeRemainingColumn(), console=console) as bars:
            tasks = {file.path: bars.add_task(file.path, total=file.size_bytes) for file in model.files}
            place = fetch(
                model,
                models_folder,
                lambda path, done, total: bars.update(tasks[path], completed=done, total=total),
                mirror,
            )
    except FetchError as error:
        console.print(str(error), highlight=False, markup=False, soft_wrap=True)
        return 1
    console.print(f"{name} is in {place}; {_how_to_use(model)}", highlight=False, markup=False)
    return 0


def _how_to_use(model: Model) -> str:
    match model.engine:
        case "vosk":
            return f'set [asr.models] {model.language} = "{model.name}" in config.toml'
        case "piper":
            return f'set [tts] engine = "piper" and [tts.voices] {model.language} = "{model.name}" in config.toml'
        case _:
            return f"use it with `ivr transcribe --model {model.name}`"


def _mb(size_bytes: int) -> str:
    return f"{size_bytes / 1e6:,.0f} MB"
