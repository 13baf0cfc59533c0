"""Slots: a lock file each, held by whoever has the place."""

import os
import subprocess
import sys
from pathlib import Path

from ivr.slots import Slots


def test_slots_are_given_once_and_come_back_when_released(tmp_path: Path) -> None:
    slots = Slots(tmp_path, (40000, 40047), most=10)
    assert slots.count == 3
    taken = [slots.take() for _ in range(3)]
    assert [slot.rtp_port for slot in taken if slot] == [40000, 40016, 40032]
    assert slots.take() is None
    assert taken[1] is not None
    taken[1].release()
    again = slots.take()
    assert again is not None
    assert again.number == 1


def test_another_zygote_sees_the_slots_that_live_workers_hold(tmp_path: Path) -> None:
    first = Slots(tmp_path, (40000, 40031), most=10).take()
    assert first is not None
    holder = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, pass_fds=[first.lock])
    first.release()
    second = Slots(tmp_path, (40000, 40031), most=10).take()
    assert second is not None
    assert second.number == 1
    assert holder.stdin is not None
    holder.stdin.close()
    holder.wait(10)
    os.close(second.lock)
    third = Slots(tmp_path, (40000, 40031), most=10).take()
    assert third is not None
    assert third.number == 0
