"""Reads config.toml, whole and typed. Every mistake is found in one run and named with file and line.

Owns the settings' names, types and defaults; what they do is told where they are used. Secrets are not settings.
"""

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, Field, ValidationError, field_validator, model_validator

from ivr.doorsettings import (
    Callers,
    GuardSettings,
    Host,
    RegistrarSettings,
    RuleSettings,
    TlsSettings,
    TrunkSettings,
)
from ivr.queuesettings import QueueTable
from ivr.restsettings import RestSettings
from ivr.settingstable import Duration, Table


class BusSettings(Table):
    """[ivr.bus]"""

    url: str = "auto"

    @field_validator("url")
    @classmethod
    def _known_scheme(cls, value: str) -> str:
        if value != "auto" and not re.fullmatch(r"mqtt://[^/:]+(:\d+)?", value):
            raise ValueError('use "auto" or "mqtt://host:1883"')
        return value


class StoreSettings(Table):
    """[ivr.store]"""

    url: str = "auto"

    @field_validator("url")
    @classmethod
    def _known_driver(cls, value: str) -> str:
        if value != "auto" and not value.startswith(("sqlite+aiosqlite://", "postgresql+asyncpg://")):
            raise ValueError('use "auto", "sqlite+aiosqlite:///file" or "postgresql+asyncpg://user@host/name"')
        return value


class IvrSettings(Table):
    """[ivr]"""

    data: Path = Path("var")
    bus: BusSettings = BusSettings()
    store: StoreSettings = StoreSettings()


class TelephonySettings(Table):
    """[telephony]"""

    door: Literal["embedded", "kamailio"] = "embedded"
    address: str = "auto"
    port: int = Field(5060, ge=0, le=65535)
    rtp_ports: tuple[int, int] = (30000, 32399)
    codecs: tuple[Literal["PCMA", "PCMU", "G722", "GSM", "iLBC", "speex"], ...] = ("PCMA", "PCMU", "G722")
    max_calls: int = Field(120, ge=1)
    idle_workers: int = Field(4, ge=1)
    max_call: Duration = 4 * 3600.0
    rtp_timeout: Duration = 60.0
    srtp: Literal["off", "optional", "mandatory"] = "off"
    callers: Callers = "anyone"
    domains: tuple[Host, ...] = ()
    lines: dict[str, str] = {"*": "bank-en", "bank-zh": "bank-zh", "shop": "shop", "city": "city"}
    registrar: RegistrarSettings = RegistrarSettings()
    guard: GuardSettings = GuardSettings()
    tls: TlsSettings = TlsSettings()
    trunks: dict[str, TrunkSettings] = {}
    dialplan: tuple[RuleSettings, ...] = ()

    @model_validator(mode="after")
    def _trunks_of_rules_exist(self) -> Self:
        for rule in self.dialplan:
            trunk = self.trunks.get(rule.trunk)
            if rule.trunk and (trunk is None or not trunk.host):
                raise ValueError(f"dialplan: there is no [telephony.trunks.{rule.trunk}] with a host to call")
        return self

    @field_validator("rtp_ports")
    @classmethod
    def _even_and_in_order(cls, value: tuple[int, int]) -> tuple[int, int]:
        first, last = value
        if not 1024 <= first < last <= 65535 or first % 2:
            raise ValueError("use [first, last] with 1024 <= first < last <= 65535 and first even")
        return value


class AsrSettings(Table):
    """[asr]"""

    engine: Literal["vosk", "none", "fake", "burn"] = "vosk"
    models: dict[str, str] = {"en": "starter"}


class TtsSettings(Table):
    """[tts]"""

    engine: Literal["espeak", "piper", "fake"] = "espeak"
    level_dbfs: float = Field(-20.0, ge=-40, le=-10)
    voices: dict[str, str] = {"en": "en-us", "zh-CN": "cmn"}


class FlowsSettings(Table):
    """[flows]"""

    folder: Path = Path("flows/library")
    canary: float = Field(1.0, gt=0, le=1)
    trial_calls: int = Field(50, ge=1)
    error_margin: float = Field(0.05, ge=0, le=1)
    hangup_margin: float = Field(0.15, ge=0, le=1)


class AgentsSettings(Table):
    """[agents]"""

    pause_reasons: dict[str, str] = {"1": "break", "2": "lunch", "3": "meeting", "4": "training"}
    dispositions: dict[str, str] = {"1": "resolved", "2": "follow-up", "3": "wrong-queue", "4": "no-answer"}

    @field_validator("pause_reasons", "dispositions")
    @classmethod
    def _by_digits(cls, value: dict[str, str]) -> dict[str, str]:
        for number in value:
            if not re.fullmatch(r"[0-9]{1,4}", number):
                raise ValueError(f"{number!r}: write the digits that agents dial, one to four")
        return value


class RecordingsSettings(Table):
    """[recordings]"""

    folder: str = "auto"


class Config(Table):
    """All of config.toml. Relative paths are relative to `root`, the folder of the file."""

    root: Path = Field(default_factory=Path.cwd, exclude=True)
    ivr: IvrSettings = IvrSettings()
    telephony: TelephonySettings = TelephonySettings()
    asr: AsrSettings = AsrSettings()
    tts: TtsSettings = TtsSettings()
    flows: FlowsSettings = FlowsSettings()
    recordings: RecordingsSettings = RecordingsSettings()
    agents: AgentsSettings = AgentsSettings()
    rest: RestSettings = RestSettings()
    queues: dict[str, QueueTable] = {"cards": QueueTable(), "support": QueueTable()}

    @property
    def data_folder(self) -> Path:
        """Where everything that Hotline writes lives."""
        return self.root / self.ivr.data

    @property
    def run_folder(self) -> Path:
        """Sockets and lock files of the running hotline."""
        return self.data_folder / "run"

    @property
    def recordings_folder(self) -> Path:
        """Where call bundles are kept."""
        return (
            self.data_folder / "recordings" if self.recordings.folder == "auto" else self.root / self.recordings.folder
        )

    @property
    def prompts_folder(self) -> Path:
        """The prompt cache."""
        return self.data_folder / "prompts"

    @property
    def models_folder(self) -> Path:
        """Where `ivr models fetch` puts models."""
        return self.data_folder / "models"

    @property
    def flows_folder(self) -> Path:
        """Where the flow files are."""
        return self.root / self.flows.folder

    @property
    def store_url(self) -> str:
        """The SQLAlchemy URL of the store."""
        if self.ivr.store.url != "auto":
            return self.ivr.store.url
        return f"sqlite+aiosqlite:///{(self.data_folder / 'hotline.db').resolve()}"

    @property
    def store_file(self) -> Path | None:
        """The file of a SQLite store; None of PostgreSQL."""
        kind, _, path = self.store_url.partition(":///")
        return Path(path) if kind.startswith("sqlite") else None


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake in a settings file; `line` is 0 where none can be named."""

    file: Path
    line: int
    what: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.what}" if self.line else f"{self.file}: {self.what}"


class ConfigError(Exception):
    """config.toml cannot be used. `problems` has every reason."""

    code = "config"

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = problems


def load(path: Path) -> Config:
    """Reads the settings; without the file, every setting has its default.

    Raises ConfigError with all mistakes at once.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return Config(root=path.resolve().parent)
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError([Problem(path, 0, f"cannot be read: {error}")]) from error
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        line = re.search(r"line (\d+)", str(error))
        raise ConfigError([Problem(path, int(line[1]) if line else 0, f"not TOML: {error}")]) from error
    if "root" in tables:
        raise ConfigError([Problem(path, line_of(text, ("root",)), "root: unknown setting")])
    try:
        return Config(root=path.resolve().parent, **tables)
    except ValidationError as error:
        problems = [_problem(path, text, item["loc"], item) for item in error.errors()]
        raise ConfigError(sorted(problems, key=lambda problem: problem.line)) from error


def _problem(path: Path, text: str, place: tuple[int | str, ...], item: object) -> Problem:
    name = ".".join(str(part) for part in place)
    kind, message = item["type"], item["msg"].removeprefix("Value error, ")  # type: ignore[index]
    if kind == "extra_forbidden":
        message = f"unknown setting{_did_you_mean(place)}"
    return Problem(path, line_of(text, place), f"{name}: {message}")


def _did_you_mean(place: tuple[int | str, ...]) -> str:
    from difflib import get_close_matches  # noqa: PLC0415 - only on the way to an error

    model: type[BaseModel] | None = Config
    for part in place[:-1]:
        field = model.model_fields.get(str(part)) if model else None
        annotation = field.annotation if field else None
        model = annotation if isinstance(annotation, type) and issubclass(annotation, BaseModel) else None
    known = [name for name in model.model_fields if name != "root"] if model else []
    close = get_close_matches(str(place[-1]), known, 1)
    return f"; did you mean {close[0]}?" if close else f"; known here: {', '.join(known)}" if known else ""


def line_of(text: str, place: tuple[int | str, ...]) -> int:
    """The line (from 1) where the dotted place is set, or that of the nearest table above it; 0 if there is none."""
    wanted = [str(part) for part in place]
    table: list[str] = []
    best = (0, 0)
    for number, line in enumerate(text.splitlines(), 1):
        if header := re.match(r"\s*\[\[?([^\]]+)\]", line):
            table = _parts(header[1])
            here = table
        elif key := re.match(r"\s*((?:[\w-]+|\"[^\"]*\")(?:\.(?:[\w-]+|\"[^\"]*\"))*)\s*=", line):
            here = table + _parts(key[1])
        else:
            continue
        if wanted[: len(here)] == here and len(here) > best[1]:
            best = (number, len(here))
    return best[0]


def _parts(dotted: str) -> list[str]:
    return [part.strip().strip('"') for part in re.findall(r'"[^"]*"|[^.]+', dotted)]
