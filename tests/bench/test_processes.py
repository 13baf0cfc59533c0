import os
import subprocess
import sys

import pytest

from bench import processes
from bench.processes import Process

FORKING = """
import os, sys, time
print("up", flush=True)
if os.fork() == 0:
    while True:
        time.sleep(1)
sum(range(3_000_000))
sys.stdin.read()
"""


@pytest.fixture
def parent():
    process = subprocess.Popen([sys.executable, "-c", FORKING], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    process.stdout.readline()
    yield process
    for one in processes.family(process.pid)[::-1]:
        os.kill(one.pid, 9)
    process.wait()
    process.stdin.close()
    process.stdout.close()


def test_a_family_is_the_process_and_its_descendants(parent):
    family = processes.family(parent.pid)
    while len(family) < 2:  # the fork is on its way; the test's time limit ends this
        family = processes.family(parent.pid)
    assert family[0] == Process(parent.pid, "launcher")
    assert family[1].part == "launcher"


def test_reads_memory_cpu_and_files(parent):
    family = [Process(parent.pid, "door"), Process(os.getpid(), "control")]
    memory = processes.pss_mb(family)
    assert 1 < memory["door"][0] < 500
    assert processes.cpu_s(family)["control"] > 0
    assert processes.open_files(family)["door"] >= 3


def test_a_process_that_is_gone_counts_nothing():
    gone = subprocess.Popen(["true"])
    gone.wait()
    assert processes.pss_mb([Process(gone.pid, "door")]) == {}
    assert processes.cpu_s([Process(gone.pid, "door")]) == {}
    assert processes.open_files([Process(gone.pid, "door")]) == {}


def test_a_child_of_the_zygote_is_a_worker():
    assert processes._part(os.getpid(), "zygote") == "worker"
    assert processes._part(os.getpid(), "speech") == "speech"


def test_dead_children_of_the_zygote_count_to_the_workers(monkeypatch):
    fields = ["S", "1", *["0"] * 9, "100", "50", "700", "30", *["0"] * 30]
    monkeypatch.setattr(processes, "_stat", lambda pid: fields)
    assert processes.cpu_s([Process(1, "zygote")]) == {
        "zygote": 150 / processes._TICK_HZ,
        "worker": 730 / processes._TICK_HZ,
    }


def test_reads_the_kernels_drop_counter():
    assert processes.udp_drops() >= 0
