"""The live flows: what is on disk, checked and published, with the versions of each. Kept in files, so that any process
may ask and any may change: a change is made under a lock and written whole.

`<history>/NAME/versions.json` is the shelf of a flow, `<history>/NAME/DIGEST.toml` each text that was ever published. A
flow is published together with the sub-flows it calls: an edit of one of those is a new version of its callers too.
`refresh` publishes a flow only if it and the sub-flows it calls have no error; a broken edit leaves the live version.
"""

import fcntl
import hashlib
import json
import logging
import os
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from flows import versions
from flows.checker import check
from flows.flow import Flow
from flows.linking import link
from flows.loader import read
from flows.problems import Problem, errors
from flows.versions import Limits, Shelf, Version
from ivr.config import Config
from ivr.flowfiles import Known, flow_files, read_files

log = logging.getLogger(__name__)
SHELF = "versions.json"
_SHELF = TypeAdapter(Shelf)
Stamp = tuple[str, int, int, int, int]


def open_store(config: Config) -> "FlowStore":
    """The live flows as the settings say."""
    flows = config.flows
    least = min(Limits().least_calls, flows.trial_calls)
    limits = Limits(flows.canary, flows.trial_calls, least, flows.error_margin, flows.hangup_margin)
    return FlowStore(config.flows_folder, config.data_folder / "flows", limits, config.queues.keys())


class FlowStore:
    """The versions of every flow of a folder, and the flow to run for each new call. One thread in each process.

    `queues` are the names of those there are; without it flows may name any.
    """

    def __init__(self, folder: Path, history: Path, limits: Limits, queues: Collection[str] | None = None) -> None:
        self._folder = folder
        self._history = history
        self._limits = limits
        self._queues = queues
        self._stamp: tuple[Stamp, ...] = ()
        self._texts: dict[str, Flow] = {}
        self._known: Known = {}
        self._checked: dict[str, tuple[list[str], list[Problem]]] = {}

    def names(self) -> list[str]:
        """Every flow that was ever published."""
        return sorted(file.parent.name for file in self._history.glob(f"*/{SHELF}"))

    def shelf(self, name: str) -> Shelf:
        """The versions of a flow; empty where nothing was published or its file is damaged, which is logged."""
        try:
            return _SHELF.validate_json((self._history / name / SHELF).read_bytes())
        except FileNotFoundError:
            pass
        except (OSError, ValidationError) as error:
            log.error("the history of flow %s cannot be read: %s", name, error)
        return Shelf(name)

    def refresh(self, now: float) -> list[Problem]:
        """Publishes what has changed on disk since the last time; the problems of what it refused.

        Costs a few stat calls if nothing has changed. Raises OSError if the history cannot be written.
        """
        stamp = _stamp(self._folder)
        if stamp == self._stamp:
            return []
        found, problems = read_files(flow_files(self._folder), self._known)
        flows, linking = link(found)
        problems += linking + [problem for flow in flows.values() for problem in self._check(flow)]
        broken = {problem.file for problem in errors(problems)}
        unwritten: list[OSError] = []
        for flow in flows.values():
            if {flow.file, *(callee.file for callee in flow.callees.values())} & broken:
                continue
            try:
                self._publish(flow, now)
            except OSError as error:  # the others may have a better disk
                unwritten.append(error)
        if unwritten:
            raise unwritten[0]
        self._stamp = stamp
        return [problem for problem in problems if problem.file in broken]

    def pick(self, name: str, chance: float) -> tuple[Flow, Version] | None:
        """The flow for a new call, with the sub-flows of this version; `chance` is a random number from 0 to 1."""
        version = versions.pick(self.shelf(name), chance, self._limits)
        flow = self._text(name, version.digest) if version else None
        if version is None or flow is None:
            return None
        parts = {part: self._text(part, digest) for part, digest in version.parts.items()}
        whole = {name: flow, **{part: callee for part, callee in parts.items() if callee}}
        return link(whole)[0][name], version

    def callers(self, name: str) -> list[str]:
        """The flows whose current version has this one as a sub-flow."""
        return [one for one in self.names() if (current := self.shelf(one).current) and name in current.parts]

    def newest(self, name: str) -> Flow | None:
        """The text that was published last, without its sub-flows."""
        shelf = self.shelf(name)
        return self._text(name, shelf.versions[-1].digest) if shelf.versions else None

    def ended(self, name: str, number: int, termination: str) -> None:
        """A call of this version has ended; may end its trial. Raises OSError."""
        self._change(name, lambda shelf: versions.ended(shelf, number, termination, self._limits))

    def promote(self, name: str) -> bool:
        """Ends a trial well; False if there is none. Raises OSError."""
        return self._change(name, versions.promote)

    def rollback(self, name: str, why: str = "by hand") -> bool:
        """Goes back to the version before; False if there is none. Raises OSError."""
        return self._change(name, lambda shelf: versions.rollback(shelf, why))

    def _check(self, flow: Flow) -> list[Problem]:
        """Its problems; looked for again only if its text or that of a sub-flow is another than the last time."""
        texts = [flow.text, *(callee.text for callee in flow.callees.values())]
        if flow.name not in self._checked or self._checked[flow.name][0] != texts:
            self._checked[flow.name] = texts, check(flow, queues=self._queues)
        return self._checked[flow.name][1]

    def _publish(self, flow: Flow, now: float) -> None:
        parts = {name: _digest(callee.text) for name, callee in flow.callees.items()}
        digest, text = _digest(flow.text, *sorted(parts.values())), _digest(flow.text)
        self._keep(flow, digest)
        for name, callee in flow.callees.items():
            self._keep(callee, parts[name])
        limits = self._limits
        self._change(flow.name, lambda shelf: versions.publish(shelf, digest, flow.version, now, limits, parts, text))

    def _keep(self, flow: Flow, digest: str) -> None:
        file = self._history / flow.name / f"{digest}.toml"
        if not file.exists():
            _write(file, flow.text)

    def _change(self, name: str, change: Callable[[Shelf], Shelf]) -> bool:
        with self._locked():
            before = self.shelf(name)
            after = change(before)
            if after == before:
                return False
            _write(self._history / name / SHELF, json.dumps(_SHELF.dump_python(after, mode="json"), indent=1))
        known = {one.number: one.standing for one in before.versions}
        for one in after.versions:
            if known.get(one.number) is not one.standing:
                log.info("flow %s: version %d (%d) is %s %s", name, one.number, one.label, one.standing, one.why)
        return True

    @contextmanager
    def _locked(self) -> Iterator[None]:
        self._history.mkdir(parents=True, exist_ok=True)
        with (self._history / ".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _text(self, name: str, digest: str) -> Flow | None:
        if digest not in self._texts:
            file = self._history / name / f"{digest}.toml"
            try:
                flow, problems = read(file.read_text(encoding="utf-8"), str(self._folder / f"{name}.toml"))
            except (OSError, UnicodeDecodeError) as error:
                log.error("a version of flow %s cannot be read: %s", name, error)
                return None
            if flow is None:
                log.error("a version of flow %s cannot be read: %s", name, "; ".join(map(str, problems)))
                return None
            self._texts[digest] = flow
        return self._texts[digest]


def _digest(*texts: str) -> str:
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()[:16]


def _stamp(folder: Path) -> tuple[Stamp, ...]:
    """What changes whenever one of the folder's flows does: also when another file of the same age and size takes its
    place, or its rights are mended."""
    found = []
    for file in flow_files(folder):
        try:
            facts = file.stat()
        except OSError:
            continue
        found.append((str(file), facts.st_ino, facts.st_ctime_ns, facts.st_mtime_ns, facts.st_size))
    return tuple(found)


def _write(file: Path, text: str) -> None:
    """All of it or nothing: a reader never sees half a file, a crash leaves the old one."""
    file.parent.mkdir(parents=True, exist_ok=True)
    part = file.with_suffix(f"{file.suffix}.part")
    with part.open("w", encoding="utf-8") as out:
        out.write(text)
        out.flush()
        os.fsync(out.fileno())
    part.replace(file)
