"""`ivr check`: looks at everything a hotline needs before it is started, and says what to do about each finding."""

import os
import shutil
import socket
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Literal

from asr import engines
from asr.errors import AsrError
from flows.checker import check_all
from flows.problems import Severity, counted
from ivr import models, speech
from ivr.config import Config
from ivr.dooredge import DoorSettingsError
from ivr.flowfiles import flow_files, read_files, vocabulary
from ivr.kamailiodoor import setup
from ivr.recordedprompts import unheard
from telephony.address import reachable_address
from telephony.kamailio.errors import MissingError
from telephony.kamailio.generate import configuration
from telephony.kamailio.program import find
from telephony.portholder import port_holders
from telephony.stack import RTP_PORTS_PER_PROCESS
from tts.errors import SynthesiserFailed
from tts.isolated import IsolatedSynthesiser

LOW_DISK_BYTES = 2 << 30


class Grade(StrEnum):
    """How bad a finding is: only errors keep the hotline from working as configured."""

    OK = "ok"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report; `mend` says what to do."""

    grade: Grade
    what: str
    mend: str = ""

    def __str__(self) -> str:
        return f"{self.grade:8} {self.what}" + (f"\n{'':8} -> {self.mend}" if self.mend else "")


def main(config: Config, config_path: Path) -> int:
    """Prints every finding; exit code 1 when one is an error. The settings themselves were read without mistake."""
    findings = [
        Finding(Grade.OK, f"settings in {config.root}"),
        *_flows(config),
        *_recognisers(config),
        *_voices(config),
        *_address(config),
        *_door(config),
        *_ports(config, config_path),
        *_disk(config),
    ]
    sys.stdout.writelines(f"{finding}\n" for finding in findings)
    errors = sum(finding.grade is Grade.ERROR for finding in findings)
    warnings = sum(finding.grade is Grade.WARNING for finding in findings)
    sys.stdout.write(f"{counted(errors, 'error')}, {counted(warnings, 'warning')}\n")
    return 1 if errors else 0


def _flows(config: Config) -> Iterator[Finding]:
    words, queues = vocabulary(config), config.queues.keys()
    read, unread = read_files(flow_files(config.flows_folder), vocabulary=words, queues=queues)
    flows, problems = check_all(read, words, queues)
    problems = [*unread, *problems, *(problem for flow in flows.values() for problem in unheard(flow))]
    for problem in problems:
        grade = Grade.ERROR if problem.severity is Severity.ERROR else Grade.WARNING
        yield Finding(grade, f"{problem.place}: {problem.what}", problem.mend)
    if flows:
        yield Finding(Grade.OK, f"flows {', '.join(sorted(flows))}")
    for line, name in config.telephony.lines.items():
        if name not in flows:
            yield Finding(
                Grade.ERROR,
                f"line {line} leads to the flow {name}, which is not in {config.flows_folder}",
                f'write {name}.toml there or change [telephony.lines] "{line}"',
            )
    for language in sorted({flow.header.language for flow in flows.values()}):
        if config.asr.engine != "none" and not _has_model(config, language):
            yield Finding(
                Grade.WARNING,
                f"no recogniser for {language}: its calls go on by touch-tones",
                f'ivr models list, ivr models fetch NAME, then [asr.models] {language} = "NAME"',
            )


def _recognisers(config: Config) -> Iterator[Finding]:
    """Loads each model: only then is it known to be one."""
    if config.asr.engine == "none":
        return
    for language, name in config.asr.models.items():
        try:
            folder = models.resolve(name, config.models_folder)
            engines.load(config.asr.engine, language, folder)
        except (models.ModelMissing, AsrError) as error:
            mend = f"correct [asr.models] {language} (ivr models list); until then its calls go on by touch-tones"
            yield Finding(Grade.ERROR, f"recogniser for {language}: {error}", mend)
            continue
        yield Finding(Grade.OK, f"recogniser for {language}: {name} in {folder}")
        if name == "starter":
            yield Finding(
                Grade.WARNING,
                "the starter model knows 355 words: good for trying Hotline, not for real callers",
                f'ivr models fetch vosk-model-small-en-us-0.15, then [asr.models] {language} = "..."',
            )


def _voices(config: Config) -> Iterator[Finding]:
    """Has each voice say something."""
    engine = IsolatedSynthesiser(config.tts.engine, config.models_folder)
    try:
        for language, voice in speech.recipe(config).voices.items():
            try:
                engine.synthesise("1", language, voice)
            except SynthesiserFailed as error:
                mend = f"correct [tts.voices] {language}; until then none of its prompts can be spoken"
                yield Finding(Grade.ERROR, f"voice for {language}: {error}", mend)
            else:
                yield Finding(Grade.OK, f"voice for {language}: {config.tts.engine} {voice}")
    finally:
        engine.close()


def _address(config: Config) -> Iterator[Finding]:
    wanted = config.telephony.address
    try:
        found = reachable_address(wanted)
    except OSError as error:
        mend = 'write an IPv4 address of this machine, a name that has one, or "auto"'
        yield Finding(Grade.ERROR, f"[telephony] address {wanted!r} cannot be used: {error}", mend)
    else:
        yield Finding(Grade.OK, f"phones reach this machine at {found}")


def _ports(config: Config, config_path: Path) -> Iterator[Finding]:
    def is_door(line: str) -> bool:
        return _is_door(line, config, config_path)

    sip = _Port("SIP", "0.0.0.0", config.telephony.port, "telephony", is_door)
    yield _port(sip, "udp")
    yield _port(sip, "tcp")
    tls = config.telephony.tls
    if tls.certificate is not None and tls.port:
        yield _port(_Port("SIP TLS", "0.0.0.0", tls.port, "telephony.tls", is_door), "tcp")
    if config.rest.port:
        control = f"ivr control --config {config_path}"
        rest = _Port("REST", config.rest.address, config.rest.port, "rest", lambda line: line.endswith(control))
        yield _port(rest, "tcp")
    first, last = config.telephony.rtp_ports
    room = (last + 1 - first) // RTP_PORTS_PER_PROCESS
    if room < config.telephony.max_calls:
        yield Finding(
            Grade.WARNING,
            f"[telephony] rtp_ports has room for {room} calls, max_calls is {config.telephony.max_calls}",
            f"rtp_ports = [{first}, {first + RTP_PORTS_PER_PROCESS * config.telephony.max_calls - 1}]",
        )


@dataclass(frozen=True, slots=True)
class _Port:
    """A port of [`table`]; `is_ours`: whether this command line is that of this hotline's process that may hold it."""

    what: str
    address: str
    number: int
    table: str
    is_ours: Callable[[str], bool]


def _port(port: _Port, protocol: Literal["udp", "tcp"]) -> Finding:
    name = f"{port.what} port {port.number}/{protocol}"
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM if protocol == "udp" else socket.SOCK_STREAM) as probe:
        if protocol == "tcp":
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((port.address, port.number))
        except OSError as error:
            found = port_holders(protocol, port.number)
            if found and all(port.is_ours(holder.command) for holder in found):
                return Finding(Grade.OK, f"{name} is served by this hotline, which is running")
            holders = ", ".join(map(str, found))
            return Finding(
                Grade.ERROR,
                f"{name}: {os.strerror(error.errno or 0)}" + (f", held by {holders}" if holders else ""),
                f"end that process (a running hotline?) or change [{port.table}] port",
            )
    return Finding(Grade.OK, f"{name} is free")


def _is_door(command: str, config: Config, config_path: Path) -> bool:
    """Whether this is the command line of this hotline's front door."""
    kamailio = f" -f {config.run_folder / 'kamailio.cfg'} "
    return command.endswith(f"ivr door --config {config_path}") or kamailio in command


def _door(config: Config) -> Iterator[Finding]:
    if config.telephony.door != "kamailio":
        return
    try:
        program = find()
        program.check(configuration(setup(config, program, key="")))
    except (MissingError, DoorSettingsError, OSError) as error:
        yield Finding(Grade.ERROR, str(error))
    else:
        yield Finding(Grade.OK, f"front door: {program.binary}")


def _disk(config: Config) -> Iterator[Finding]:
    folder = config.data_folder
    while not folder.exists():
        folder = folder.parent
    if not os.access(folder, os.W_OK):
        yield Finding(Grade.ERROR, f"{folder} cannot be written", "change [ivr] data or the folder's owner")
        return
    free = shutil.disk_usage(folder).free
    hours = free // (110 << 20)
    grade = Grade.OK if free > LOW_DISK_BYTES else Grade.WARNING
    yield Finding(grade, f"{free / 2**30:.1f} GiB free for recordings in {folder}, about {hours} hours of calls")


def _has_model(config: Config, language: str) -> bool:
    return language in config.asr.models or language.split("-", maxsplit=1)[0] in config.asr.models
