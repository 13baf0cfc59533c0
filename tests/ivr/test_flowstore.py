"""Flows go live from disk: at once, atomically, never a broken one; history survives a restart."""

import os
from pathlib import Path

import pytest

from flows.versions import Limits
from ivr.flowstore import FlowStore

FLOW = 'flow = "bank"\nversion = VERSION\nstart = "end"\n[step.end]\ntype = "hangup"\nprompt = "TEXT"\n'
CALLER = (
    'flow = "main"\nstart = "go"\n[step.go]\ntype = "call"\nflow = "bank"\nnext = "end"\n[step.end]\ntype = "hangup"\n'
)


def write(folder: Path, version: int, text: str = "Hello.") -> None:
    (folder / "bank.toml").write_text(FLOW.replace("VERSION", str(version)).replace("TEXT", text), encoding="utf-8")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "flows"
    folder.mkdir()
    return folder


def opened(folder: Path, share: float = 0.0) -> FlowStore:
    return FlowStore(folder, folder.parent / "history", Limits(share=share, least_calls=2, enough_calls=4))


def version_of(store: FlowStore, chance: float = 0.9) -> int:
    picked = store.pick("bank", chance)
    assert picked is not None
    return picked[0].version


def test_an_edit_goes_live_and_a_broken_one_does_not(folder: Path) -> None:
    store = opened(folder)
    write(folder, 1)
    assert store.refresh(1.0) == []
    assert version_of(store) == 1
    write(folder, 2, "Hello again.")
    store.refresh(2.0)
    assert version_of(store) == 2
    write(folder, 3, "Hello {nobody}, and once more.")
    (problem,) = store.refresh(3.0)
    assert problem.code == "name.unknown"
    assert version_of(store) == 2
    assert store.refresh(4.0) == []


def test_a_deleted_file_stays_live(folder: Path) -> None:
    store = opened(folder)
    write(folder, 1)
    store.refresh(1.0)
    (folder / "bank.toml").unlink()
    assert store.refresh(2.0) == []
    assert version_of(store) == 1


def test_a_flow_whose_sub_flow_is_broken_waits(folder: Path) -> None:
    store = opened(folder)
    write(folder, 1, "{oops}")
    (folder / "main.toml").write_text(CALLER, encoding="utf-8")
    assert store.refresh(1.0)
    assert store.pick("main", 0.5) is None
    write(folder, 1, "Fine now.")
    assert store.refresh(2.0) == []
    picked = store.pick("main", 0.5)
    assert picked is not None
    assert list(picked[0].callees) == ["bank"]


def test_canary_and_automatic_rollback(folder: Path) -> None:
    store = opened(folder, share=0.5)
    write(folder, 1)
    store.refresh(1.0)
    write(folder, 2, "Newer.")
    store.refresh(2.0)
    assert (version_of(store, 0.1), version_of(store, 0.9)) == (2, 1)
    for _ in range(2):
        store.ended("bank", 2, "flow_error")
    assert (version_of(store, 0.1), version_of(store, 0.9)) == (1, 1)
    assert store.shelf("bank").versions[1].why == "100% errors in 2 calls"


def said(store: FlowStore, chance: float) -> str:
    """What the sub-flow of main says in the version that this call gets."""
    picked = store.pick("main", chance)
    assert picked is not None
    return picked[0].callees["bank"].text.rpartition("prompt = ")[2].strip().strip('"')


def test_an_edit_of_a_sub_flow_is_tried_and_taken_back_with_its_caller(folder: Path) -> None:
    store = opened(folder, share=0.5)
    write(folder, 1)
    (folder / "main.toml").write_text(CALLER, encoding="utf-8")
    store.refresh(1.0)
    write(folder, 2, "Newer.")
    store.refresh(2.0)
    assert (said(store, 0.1), said(store, 0.9)) == ("Newer.", "Hello.")
    for _ in range(4):
        store.ended("main", 2, "completed")
    assert said(store, 0.9) == "Newer."
    assert store.callers("bank") == ["main"]
    assert store.rollback("main")
    assert said(store, 0.1) == said(store, 0.9) == "Hello."


def test_an_edit_of_a_sub_flow_does_not_bring_back_a_withdrawn_text_of_its_caller(folder: Path) -> None:
    store = opened(folder)
    write(folder, 1)
    (folder / "main.toml").write_text(CALLER, encoding="utf-8")
    store.refresh(1.0)
    (folder / "main.toml").write_text(CALLER + "# worse\n", encoding="utf-8")
    store.refresh(2.0)
    assert store.rollback("main")
    write(folder, 2, "Newer.")
    store.refresh(3.0)
    assert [one.standing for one in store.shelf("main").versions] == ["current", "withdrawn"]
    (folder / "main.toml").write_text(CALLER + "# better\n", encoding="utf-8")
    store.refresh(4.0)
    assert said(store, 0.5) == "Newer."


def test_a_sub_flow_that_was_taken_back_with_its_caller_is_tried_again_once_mended(folder: Path) -> None:
    store = opened(folder)
    write(folder, 1)
    (folder / "main.toml").write_text(CALLER, encoding="utf-8")
    store.refresh(1.0)
    write(folder, 2, "Worse.")
    store.refresh(2.0)
    assert store.rollback("main")
    write(folder, 3, "Better.")
    store.refresh(3.0)
    assert said(store, 0.5) == "Better."


def test_a_caller_keeps_the_sub_flow_that_it_fits(folder: Path) -> None:
    store = opened(folder)
    write(folder, 1)
    (folder / "main.toml").write_text(CALLER, encoding="utf-8")
    store.refresh(1.0)
    write(folder, 2, 'Hello {who}."\n[parameters]\nwho = "text"\n#"')
    assert {problem.code for problem in store.refresh(2.0)} == {"call.parameter"}
    assert version_of(store) == 2, "whoever calls it by itself gets the new one"
    assert said(store, 0.5) == "Hello."


def test_history_survives_a_restart_and_can_be_gone_back_in(folder: Path) -> None:
    store = opened(folder)
    write(folder, 1)
    store.refresh(1.0)
    write(folder, 2, "Newer.")
    store.refresh(2.0)
    again = opened(folder)
    assert version_of(again) == 2
    again.refresh(3.0)
    assert len(again.shelf("bank").versions) == 2
    assert again.rollback("bank")
    assert version_of(again) == 1
    assert not again.rollback("bank")
    assert not again.rollback("nothing")
    last = opened(folder)
    assert last.refresh(4.0) == []
    assert version_of(last) == 1


def test_a_damaged_history_is_left_alone(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    write(folder, 1)
    opened(folder).refresh(1.0)
    (folder.parent / "history" / "bank" / "versions.json").write_text("{", encoding="utf-8")
    store = opened(folder)
    assert store.pick("bank", 0.5) is None
    assert "cannot be read" in caplog.text
    store.refresh(2.0)
    assert version_of(store) == 1


def test_what_one_process_changes_another_sees(folder: Path) -> None:
    one, other = opened(folder, share=0.5), opened(folder, share=0.5)
    write(folder, 1)
    one.refresh(1.0)
    other.refresh(1.0)
    write(folder, 2, "Newer.")
    one.refresh(2.0)
    assert other.names() == ["bank"]
    assert version_of(other, 0.1) == 2
    assert other.promote("bank")
    assert version_of(one, 0.9) == 2


def test_a_flow_that_names_a_queue_nobody_has_set_up_does_not_go_live(folder: Path) -> None:
    text = (
        'flow = "bank"\nstart = "wait"\n[step.wait]\ntype = "queue"\nqueue = "loans"\non.no_agents = "end"\n'
        'on.timeout = "end"\n[step.end]\ntype = "hangup"\nprompt = "Bye."\n'
    )
    (folder / "bank.toml").write_text(text)
    limits = Limits()
    (problem,) = FlowStore(folder, folder.parent / "history", limits, {"cards"}).refresh(1.0)
    assert (problem.code, problem.at.line) == ("queue.unknown", 5)
    assert FlowStore(folder, folder.parent / "history", limits, {"cards", "loans"}).refresh(2.0) == []


def test_another_file_of_the_same_age_and_size_is_noticed(folder: Path) -> None:
    store = opened(folder)
    write(folder, 1)
    store.refresh(1.0)
    facts = (folder / "bank.toml").stat()
    other = folder / "bank.new"
    other.write_text(FLOW.replace("VERSION", "2").replace("TEXT", "Hello."), encoding="utf-8")
    os.utime(other, ns=(facts.st_atime_ns, facts.st_mtime_ns))
    other.replace(folder / "bank.toml")
    assert store.refresh(2.0) == []
    assert version_of(store) == 2


def test_a_copy_beside_a_flow_changes_nothing(folder: Path) -> None:
    store = opened(folder)
    write(folder, 1)
    store.refresh(1.0)
    (folder / "bank-old.toml").write_text(FLOW.replace("VERSION", "7").replace("TEXT", "Old."), encoding="utf-8")
    problems = store.refresh(2.0)
    assert sorted(Path(problem.file).name for problem in problems) == ["bank-old.toml", "bank.toml"]
    assert {problem.code for problem in problems} == {"flow.twice"}
    assert version_of(store) == 1


def test_what_is_no_file_is_not_waited_for(folder: Path) -> None:
    store = opened(folder)
    write(folder, 1)
    os.mkfifo(folder / "pipe.toml")
    (folder / "zero.toml").symlink_to("/dev/zero")
    (folder / "gone.toml").symlink_to("nowhere")
    (folder / "folder.toml").mkdir()
    (folder / ".#bank.toml").symlink_to("somebody@host")
    problems = store.refresh(1.0)
    assert [Path(one.file).name for one in problems] == ["folder.toml", "gone.toml", "pipe.toml", "zero.toml"]
    assert version_of(store) == 1


def test_a_history_that_cannot_be_written_keeps_back_no_other_flow(folder: Path) -> None:
    store = opened(folder)
    write(folder, 1)
    (folder / "other.toml").write_text(
        FLOW.replace('"bank"', '"other"').replace("VERSION", "1").replace("TEXT", "Hi."), encoding="utf-8"
    )
    stuck = folder.parent / "history" / "bank"
    stuck.parent.mkdir()
    stuck.write_text("in the way", encoding="utf-8")
    with pytest.raises(OSError, match="bank"):
        store.refresh(1.0)
    assert store.pick("other", 0.5) is not None
    stuck.unlink()
    assert store.refresh(2.0) == []
    assert version_of(store) == 1
