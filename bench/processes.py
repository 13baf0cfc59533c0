"""What the hotline's processes use, read from /proc (Linux): CPU, memory, files; by the part that each plays."""

import os
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

_TICK_HZ = os.sysconf("SC_CLK_TCK")
_PARTS = {"zygote", "door", "control", "speech", "broker"}


@dataclass(frozen=True, slots=True)
class Process:
    """One process; a worker is a child of the zygote, anything else unknown counts to its parent's part."""

    pid: int
    part: str


def family(launcher: int) -> list[Process]:
    """The launcher and all its descendants."""
    children: dict[int, list[int]] = defaultdict(list)
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and (state := _stat(int(entry.name))):
            children[int(state[1])].append(int(entry.name))
    found: list[Process] = []
    waiting = [(launcher, "launcher")]
    while waiting:
        pid, parent_part = waiting.pop()
        part = "launcher" if pid == launcher else _part(pid, parent_part)
        found.append(Process(pid, part))
        waiting += [(child, part) for child in children[pid]]
    return found


def _part(pid: int, parent_part: str) -> str:
    if parent_part in {"zygote", "worker"}:
        return "worker"
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").split("\0")
    except OSError:
        return parent_part
    if "-m" in words and words[words.index("-m") + 1] == "ivr":
        name = words[words.index("-m") + 2]
        return name if name in _PARTS else parent_part
    return parent_part


def cpu_s(processes: list[Process]) -> dict[str, float]:
    """User and system time of each part so far, that of its dead children too: the zygote's count to the workers."""
    used: dict[str, float] = defaultdict(float)
    for process in processes:
        state = _stat(process.pid)
        if state is None:
            continue
        used[process.part] += (int(state[11]) + int(state[12])) / _TICK_HZ
        of_children = (int(state[13]) + int(state[14])) / _TICK_HZ
        used["worker" if process.part == "zygote" else process.part] += of_children
    return dict(used)


def pss_mb(processes: list[Process]) -> dict[str, list[float]]:
    """Proportional set size of each process, by part: memory with what is shared divided among those who share it."""
    sizes: dict[str, list[float]] = defaultdict(list)
    for process in processes:
        try:
            text = Path(f"/proc/{process.pid}/smaps_rollup").read_text()
        except OSError:
            continue
        kib = next((line.split()[1] for line in text.splitlines() if line.startswith("Pss:")), "0")
        sizes[process.part].append(int(kib) / 1024)
    return dict(sizes)


def open_files(processes: list[Process]) -> dict[str, int]:
    """Open file descriptors of each part."""
    counts: dict[str, int] = defaultdict(int)
    for process in processes:
        try:
            count = sum(1 for _ in Path(f"/proc/{process.pid}/fd").iterdir())
        except OSError:
            continue
        counts[process.part] += count
    return dict(counts)


def udp_drops() -> int:
    """Datagrams that the kernel dropped, on the whole machine, because a socket's buffer was full."""
    names, values = (
        line.split() for line in Path("/proc/net/snmp").read_text().splitlines() if line.startswith("Udp:")
    )
    return int(values[names.index("RcvbufErrors")])


def _stat(pid: int) -> list[str] | None:
    """The fields after the name in /proc/PID/stat: [0] state, [1] parent, [11:13] own CPU, [13:15] dead children's."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    return text[text.rindex(")") + 2 :].split()
