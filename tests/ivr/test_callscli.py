"""`ivr calls`, `show` and `bundle repair`: with the store, without it, and with what does not belong in a terminal."""

import argparse
import asyncio
import io
import json
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from rich.cells import cell_len

from ivr import callscli, callview
from ivr.callsource import CallSource
from ivr.config import Config, IvrSettings, StoreSettings
from ivr.store.rows import rows_of
from ivr.store.store import Store
from recordings.bundle import Bundle
from recordings.errors import CallNotFoundError
from recordings.read import State, find, read
from recordings.seal import seal
from recordings.termination import Termination

A, B, C = "20261121-031500-00000a", "20261121-031501-00000b", "20261121-031502-00000c"
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(config: Config, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs a handler with arguments as typed; returns status, output, errors."""

    def run(command: str, *arguments: str, settings: Config = config) -> tuple[int, str, str]:
        parser = argparse.ArgumentParser()
        getattr(callscli, f"add_{command}_arguments")(parser)
        status = getattr(callscli, command)(parser.parse_args(arguments), settings)
        captured = capsys.readouterr()
        return status, captured.out, captured.err

    return run


def make_call(config: Config, call_id: str, end: bool = True, caller: str = "1001") -> Bundle:
    """A call with a prompt, an answer and one measured turn."""
    bundle = Bundle.create(config.recordings_folder, call_id, {"caller": caller}, wall=lambda: 1795230000.0)
    bundle.leg("caller").write(bytes(32000))
    about = {
        "caller": caller,
        "called": "hotline",
        "flow": "bank-zh",
        "version": 3,
        "language": "zh-CN",
        "codec": "PCMA",
    }
    bundle.event("call.started", None, None, about)
    bundle.event("step.entered", 0, None, {"step": "greet", "type": "menu"})
    bundle.event("prompt.started", 80, "hotline", {"prompt": 1, "step": "greet", "text": "欢迎致电", "file": "x"})
    bundle.event("prompt.ended", 4000, "hotline", {"prompt": 1, "reason": "finished", "played_ms": 490})
    bundle.event("flow.event", 5000, None, {"event": "noinput", "step": "greet", "count": 2})
    said = {"text": "余额 balance", "confidence": 0.93, "start_sample": 7600, "end_sample": 11000, "step": "greet"}
    bundle.event("utterance", 14400, "caller", said)
    turn = {"speech_end_sample": 11000, "endpoint_sample": 14200, "final_sample": 14400, "step_sample": 14404}
    turn |= {"prompt_sample": 15000, "rtp_sample": 15160, "text": "balance", "step": "greet"}
    bundle.event("turn", 15160, None, turn)
    if end:
        bundle.close(Termination.COMPLETED, "hotline")
    return bundle


def put_in_store(config: Config, call_id: str, archived: bool = True, caller: str | None = None) -> None:
    """What the control process does."""

    async def put() -> None:
        record = read(config.recordings_folder, call_id)
        rows = rows_of(call_id, record.about, record.events, archived)
        if caller is not None:
            rows = replace(rows, call={**rows.call, "caller": caller})
        store = Store(config.store_url)
        await store.migrate()
        await store.save([rows])
        await store.close()

    asyncio.run(put())


def test_calls_from_store_and_bundles_newest_first(run: Run, config: Config) -> None:
    make_call(config, A)
    put_in_store(config, A, caller="from the store")
    make_call(config, B)
    make_call(config, C, end=False)
    status, output, errors = run("calls")
    assert (status, errors) == (0, "")
    lines = [line for line in output.splitlines() if "2026" in line]
    assert [line.split()[0] for line in lines] == [C, B, A]
    assert "from the store" in lines[2]
    assert "bank-zh v3" in lines[1]
    assert "completed" in lines[1]
    assert "520 ms" in lines[1]
    assert "up" in lines[0]
    _, output, _ = run("calls", "--json", "--last", "2")
    found = json.loads(output)
    assert [call["call_id"] for call in found] == [C, B]
    assert found[1]["latency_median_ms"] == 520.0
    assert found[0]["ended"] is None


def test_without_calls_and_without_store(run: Run) -> None:
    status, output, errors = run("calls")
    assert (status, output) == (0, "No calls yet.\n")
    assert "reading the bundles" in errors
    status, _, errors = run("show", "last")
    assert status == 1
    assert "no call yet" in errors


def test_a_dead_store_does_not_hide_the_calls(run: Run, config: Config, free_port: int) -> None:
    make_call(config, A)
    url = f"postgresql+asyncpg://x@127.0.0.1:{free_port}/x"
    dead = config.model_copy(update={"ivr": IvrSettings(data=Path("var"), store=StoreSettings(url=url))})
    status, output, errors = run("show", "last", settings=dead)
    assert status == 0
    assert A in output
    assert "store:" in errors


def test_show_is_a_script_with_times_and_latencies(run: Run, config: Config) -> None:
    make_call(config, A)
    path = seal(config.recordings_folder, A)
    put_in_store(config, A)
    status, output, errors = run("show", A)
    assert (status, errors) == (0, "")
    lines = [line.rstrip() for line in output.splitlines()]
    assert "1001 → hotline  bank-zh v3  zh-CN  PCMA" in lines
    assert "00:00.0  hotline  greet  欢迎致电" in "\n".join(lines)
    [said] = [line for line in lines if "balance" in line]
    assert said.startswith("00:01.0  caller   greet  余额 balance")
    assert said.endswith("(93%)")
    after = lines[lines.index(said) + 1]
    assert after.strip() == "└ answered after 520 ms: end-point 400 → text 425 → step 426 → prompt 500 → RTP 520"
    assert any(line.endswith("· noinput (2)") for line in lines)
    assert f"recording: {path / 'call.flac'}  (caller left, hotline right)" in output
    assert "\x1b" not in output


def test_show_as_json(run: Run, config: Config) -> None:
    make_call(config, A)
    _, output, _ = run("show", A, "--json")
    value = json.loads(output)
    assert value["source"] == "bundle"
    assert value["call"]["termination"] == "completed"
    assert [line["text"] for line in value["lines"]] == ["欢迎致电", "余额 balance"]
    assert value["turns"][0]["stages_ms"]["rtp"] == 520.0
    assert value["recording"] == [str(config.recordings_folder / "closed" / A / "caller.wav")]
    put_in_store(config, A)
    assert json.loads(run("show", A, "--json")[1])["source"] == "store"


def test_a_call_that_is_up_is_shown_from_its_bundle_though_the_store_knows_a_part(run: Run, config: Config) -> None:
    bundle = make_call(config, A, end=False)
    put_in_store(config, A, archived=False)
    bundle.event("utterance", 15000, "caller", {"text": "just said"})
    _, output, _ = run("show", "last")
    assert "just said" in output


def test_a_call_whose_recording_was_deleted_is_shown_from_the_store(run: Run, config: Config) -> None:
    make_call(config, A)
    path = seal(config.recordings_folder, A)
    put_in_store(config, A)
    for file in path.iterdir():
        file.unlink()
    path.rmdir()
    _, output, _ = run("show", A)
    assert "recording: none" in output
    assert "balance" in output


def test_an_unknown_call_is_named(run: Run) -> None:
    for name in (A, "../../etc/passwd"):
        status, _, errors = run("show", name)
        assert status == 1
        assert name in errors
        assert "ivr calls" in errors


def test_a_hostile_caller_cannot_steer_the_terminal(run: Run, config: Config) -> None:
    make_call(config, A, caller="[red]\x1b]0;owned\x07:smile:")
    for command in (("calls",), ("show", A)):
        _, output, _ = run(*command)
        assert "\x1b" not in output
        assert "\x07" not in output
        assert "[red]" in output


def test_columns_stay_aligned_with_chinese(run: Run, config: Config) -> None:
    make_call(config, A, caller="1001")
    make_call(config, B, caller="张三丰")
    _, output, _ = run("calls")
    ends = {cell_len(line[: line.index("hotline")]) for line in output.splitlines() if "hotline" in line}
    assert len(ends) == 1


def test_a_narrow_terminal_keeps_the_names_of_calls(config: Config) -> None:
    make_call(config, A, caller="a rather long name of a caller")
    out = callview.console(io.StringIO())
    out.width = 80
    found = asyncio.run(CallSource(config).newest(1))
    found = [replace(found[0], termination="codec_mismatch")]
    out.print(callview.calls_table(found, out.width))
    assert isinstance(out.file, io.StringIO)
    rows = [line for line in out.file.getvalue().splitlines() if A in line]
    assert len(rows) == 1
    assert "codec_mismatch" in rows[0]
    assert "520 ms" in rows[0]


def test_colours_only_on_a_terminal() -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    for file, coloured in ((io.StringIO(), False), (Terminal(), True)):
        out = callview.console(file)
        if coloured and (os.environ.get("NO_COLOR") or os.environ.get("TERM") in {None, "dumb", "unknown"}):
            continue
        out.print("x", style="red")
        assert ("\x1b" in file.getvalue()) is coloured


@pytest.mark.parametrize("count", ["0", "-1", "x", "1000000"])
def test_a_bad_count_is_refused(run: Run, count: str) -> None:
    with pytest.raises(SystemExit):
        run("calls", f"--last={count}")


def test_repair_before_the_first_call_has_nothing_to_do(run: Run) -> None:
    status, output, _ = run("bundle", "repair")
    assert status == 0
    assert "no call has been recorded yet" in output


def test_repair_closes_seals_and_stores(run: Run, config: Config) -> None:
    torn = make_call(config, A, end=False)
    os.close(torn._lock_fd)
    make_call(config, B)
    up = make_call(config, C, end=False)
    status, output, _ = run("bundle", "repair")
    assert status == 0
    assert f"{A}: closed as worker_died" in output
    assert f"{B}: in the archive and the store" in output
    assert "1 up" in output
    assert find(config.recordings_folder, C)[0] is State.OPEN
    assert json.loads(run("show", A, "--json")[1])["source"] == "store"
    up.close(Termination.COMPLETED, "hotline")


def test_repair_brings_back_what_the_store_lost(run: Run, config: Config) -> None:
    make_call(config, A)
    run("bundle", "repair")
    for file in config.data_folder.glob("hotline.db*"):
        file.unlink()
    assert run("bundle", "repair")[0] == 0
    assert run("bundle", "repair")[0] == 0
    found = json.loads(run("show", A, "--json")[1])
    assert found["source"] == "store"


def test_repair_of_one_bundle(run: Run, config: Config) -> None:
    torn = make_call(config, A, end=False)
    path = config.recordings_folder / "open" / A
    status, output, _ = run("bundle", "repair", str(path))
    assert status == 0
    assert "is up" in output
    os.close(torn._lock_fd)
    status, output, _ = run("bundle", "repair", str(path))
    assert status == 0
    assert "worker_died" in output
    sealed = find(config.recordings_folder, A)[1]
    assert run("bundle", "repair", str(sealed))[:2] == (0, f"{A}: nothing to do, it is sealed\n")
    assert run("bundle", "repair", str(path))[0] == 1


def test_calls_of_another_folder_are_brought_home(run: Run, config: Config, tmp_path: Path) -> None:
    other = config.model_copy(update={"ivr": IvrSettings(data=Path("other"))})
    ended, torn, twin = make_call(other, A), make_call(other, B, end=False), make_call(other, C)
    os.close(torn._lock_fd)
    make_call(config, C)
    assert run("bundle", "repair")[0] == 0
    status, output, _ = run("bundle", "repair", str(other.recordings_folder))
    assert f"{A}: moved to {config.recordings_folder}" in output
    assert f"{C}: stays in {other.recordings_folder}" in output
    assert status == 1
    for call_id in (ended.call_id, torn.call_id):
        assert json.loads(run("show", call_id, "--json")[1])["source"] == "store"
        assert find(config.recordings_folder, call_id)[0] is State.SEALED
        with pytest.raises(CallNotFoundError):
            find(other.recordings_folder, call_id)
    assert find(other.recordings_folder, twin.call_id)[0] is State.SEALED


def test_repair_of_what_is_no_bundle_is_refused(run: Run, tmp_path: Path) -> None:
    assert run("bundle", "repair", str(tmp_path))[0] == 1
    assert run("bundle", "repair", str(tmp_path / "missing"))[0] == 1


def test_repair_names_what_it_cannot_mend(run: Run, config: Config) -> None:
    make_call(config, A)
    (config.recordings_folder / "closed" / A / "caller.wav").write_bytes(b"garbage")
    status, output, _ = run("bundle", "repair")
    assert status == 1
    assert "1 closed and not sealed" in output
