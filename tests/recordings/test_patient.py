"""A file that waits for room: order, places, limits."""

import errno
import os
from pathlib import Path

from recordings.patient import PatientFile, failure_code


class Disk:
    """A pwrite with a number of bytes of room."""

    def __init__(self, room: int) -> None:
        self.room = room

    def pwrite(self, fd: int, data: bytes, offset: int) -> int:
        if self.room == 0:
            raise OSError(errno.ENOSPC, "full")
        taken = min(self.room, len(data))
        self.room -= taken
        return os.pwrite(fd, data[:taken], offset)


def test_writes_at_once_when_there_is_room(tmp_path: Path) -> None:
    failures: list[OSError] = []
    file = PatientFile(tmp_path / "f", 100, failures.append)
    assert file.write(2, b"cd")
    assert file.write(0, b"ab")
    assert (tmp_path / "f").read_bytes() == b"abcd"
    assert not failures


def test_what_a_full_disk_refuses_is_written_in_place_when_there_is_room(tmp_path: Path) -> None:
    failures: list[OSError] = []
    disk = Disk(3)
    file = PatientFile(tmp_path / "f", 100, failures.append, disk.pwrite)
    for line in (b"one\n", b"two\n", b"three\n"):
        assert file.append(line)
    assert [failure_code(error) for error in failures] == ["recording.disk_full"]
    disk.room = 100
    assert file.append(b"four\n")
    assert (tmp_path / "f").read_bytes() == b"one\ntwo\nthree\nfour\n"
    disk.room = 0
    file.append(b"x")
    assert len(failures) == 2
    assert file.lost_bytes == 0


def test_full_memory_loses_the_newest_and_counts_it(tmp_path: Path) -> None:
    disk = Disk(0)
    file = PatientFile(tmp_path / "f", 8, lambda _: None, disk.pwrite)
    assert file.write(0, b"aaaa")
    assert file.write(4, b"bbbb")
    assert not file.write(8, b"cc")
    assert file.lost_bytes == 2
    disk.room = 100
    assert file.write(10, b"dd")
    file.close()
    assert (tmp_path / "f").read_bytes() == b"aaaabbbb\0\0dd"


def test_a_lost_append_leaves_no_hole(tmp_path: Path) -> None:
    disk = Disk(0)
    file = PatientFile(tmp_path / "f", 4, lambda _: None, disk.pwrite)
    assert file.append(b"aaaa")
    assert not file.append(b"bb")
    disk.room = 100
    assert file.append(b"cc")
    file.close()
    assert (tmp_path / "f").read_bytes() == b"aaaacc"


def test_giving_up_cuts_what_was_half_written(tmp_path: Path) -> None:
    disk = Disk(6)
    file = PatientFile(tmp_path / "f", 100, lambda _: None, disk.pwrite)
    for line in (b"one\n", b"two\n", b"six\n"):
        file.append(line)
    assert (tmp_path / "f").read_bytes() == b"one\ntw"
    assert file.give_up() == 2
    assert (tmp_path / "f").read_bytes() == b"one\n"
    assert file.lost_bytes == 8


def test_an_error_of_the_device_has_its_own_code(tmp_path: Path) -> None:
    assert failure_code(OSError(errno.EIO, "broken")) == "recording.write_failed"


def test_writes_after_close_are_ignored(tmp_path: Path) -> None:
    file = PatientFile(tmp_path / "f", 100, lambda _: None)
    file.append(b"a")
    file.close()
    file.close()
    assert not file.append(b"b")
    assert (tmp_path / "f").read_bytes() == b"a"


def test_a_file_that_cannot_be_made_yet_is_made_later(tmp_path: Path) -> None:
    failures: list[OSError] = []
    file = PatientFile(tmp_path / "later" / "f", 100, failures.append)
    assert file.append(b"one\n")
    assert len(failures) == 1
    (tmp_path / "later").mkdir()
    assert file.append(b"two\n")
    file.close()
    assert (tmp_path / "later" / "f").read_bytes() == b"one\ntwo\n"


def test_a_file_that_is_never_made_counts_its_loss(tmp_path: Path) -> None:
    file = PatientFile(tmp_path / "never" / "f", 100, lambda _: None)
    file.append(b"one\n")
    assert not file.flush()
    assert file.give_up() == 1
    file.close()
    assert file.lost_bytes == 4
