"""`ivr flow ...` from outside: exit codes, what is printed, files it cannot read."""

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from flows.versions import Limits
from ivr import flowcli, flowtalk
from ivr.config import Config, FlowsSettings
from ivr.flowstore import FlowStore

LIBRARY = Path(__file__).parents[2] / "flows" / "library"
GOOD = """flow = "good"
start = "ask"
[step.ask]
type = "menu"
prompt = "Balance?"
choices = [{ key = "1", say = ["balance"], next = "end" }, { key = "2", next = "split" }]
[step.split]
type = "split"
shares = [{ percent = 100, next = "end" }]
[step.end]
type = "hangup"
prompt = "Done."
"""
BAD = 'flow = "bad"\nstart = "a"\n[step.a]\ntype = "say"\nprompt = "{x}"\nnext = "b"\n'

Run = Callable[..., int]


@pytest.fixture
def ivr_flow() -> Run:
    def run(*arguments: object) -> int:
        parser = argparse.ArgumentParser()
        flowcli.add_arguments(parser)
        config = Config(flows=FlowsSettings(folder=LIBRARY))
        return flowcli.run(parser.parse_args([str(argument) for argument in arguments]), config)

    return run


def write(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_check_names_every_problem_of_all_files(ivr_flow, tmp_path, capsys) -> None:
    write(tmp_path, "good.toml", GOOD)
    write(tmp_path, "bad.toml", BAD)
    write(tmp_path, "worse.toml", "flow = ")
    (tmp_path / "latin.toml").write_bytes(b'flow = "\xe9"')
    assert ivr_flow("check", tmp_path) == 1
    printed = capsys.readouterr().out
    assert f"{tmp_path}/bad.toml:5:12: error: nothing is called x" in printed
    assert f"{tmp_path}/bad.toml:6:1: error: there is no step b" in printed
    assert f"{tmp_path}/worse.toml:1:8: error: this is no value" in printed
    assert "latin.toml:1:9: error: not UTF-8" in printed
    assert printed.endswith("2 flows, 4 errors, 0 warnings\n")


def test_a_recorded_prompt_that_cannot_be_played_is_named(ivr_flow, tmp_path, capsys) -> None:
    names = ("audio/hello.wav", "audio/gone.wav", "hello.mp3", "audio/music.wav")
    played = "[" + ", ".join(f'{{ file = "{name}" }}' for name in names) + "]"
    write(tmp_path, "good.toml", GOOD.replace('prompt = "', f'prompt = {played}\nnote = "', 1))
    (tmp_path / "audio").mkdir()
    (tmp_path / "audio" / "hello.wav").write_bytes(b"RIFF\x24\0\0\0WAVEfmt ")
    (tmp_path / "hello.mp3").write_bytes(b"ID3")
    assert ivr_flow("check", tmp_path) == 0
    printed = capsys.readouterr().out
    assert "audio/gone.wav cannot be read (No such file or directory): callers hear nothing" in printed
    assert "hello.mp3 is no WAV file" in printed
    assert printed.endswith("1 flow, 0 errors, 2 warnings\n"), "music comes with Hotline"


def test_a_reader_that_has_had_enough_is_no_fault(tmp_path) -> None:
    steps = "".join(f'[step.s{number}]\ntype = "unheard of"\n' for number in range(2000))
    file = write(tmp_path, "long.toml", f'flow = "long"\nstart = "s1"\n{steps}')
    command = f"{sys.executable} -m ivr flow check {file} | head -n 1"
    done = subprocess.run(
        command, shell=True, capture_output=True, text=True, cwd=LIBRARY.parents[1], timeout=50, check=False
    )
    assert "long.toml" in done.stdout
    assert done.stderr == ""


def test_check_as_json(ivr_flow, tmp_path, capsys) -> None:
    assert ivr_flow("check", "--json", write(tmp_path, "bad.toml", BAD)) == 1
    found = json.loads(capsys.readouterr().out)
    assert [(one["line"], one["column"], one["code"]) for one in found] == [
        (5, 12, "name.unknown"),
        (6, 1, "step.unknown"),
    ]
    assert ivr_flow("check", "--json", write(tmp_path, "good.toml", GOOD)) == 0
    assert json.loads(capsys.readouterr().out) == []


def test_check_a_flow_in_use_by_default(ivr_flow, capsys) -> None:
    assert ivr_flow("check") == 0
    assert "0 errors" in capsys.readouterr().out


def test_two_flows_of_one_name_are_refused(ivr_flow, tmp_path, capsys) -> None:
    write(tmp_path, "a.toml", GOOD)
    write(tmp_path, "b.toml", GOOD)
    assert ivr_flow("check", tmp_path) == 1
    assert f"the flow good is in {tmp_path}/a.toml too" in capsys.readouterr().out


def test_test_plays_golden_conversations_and_tells_coverage(ivr_flow, tmp_path, capsys) -> None:
    write(tmp_path, "good.toml", GOOD)
    golden = 'flow = "good"\n[[conversation]]\nname = "yes"\nturns = [\n{ says = "balance" },\n{ hears = "WHAT" }]\n'
    write(tmp_path, "good.test.toml", golden.replace("WHAT", "Done"))
    assert ivr_flow("test", tmp_path, "--coverage") == 0
    printed = capsys.readouterr().out
    assert "1 conversation, 0 failed" in printed
    assert "good: 67% of 3 steps" in printed
    assert "good.toml:7: step split is not walked" in printed
    assert "good.toml:6: ask -> split (2) is not walked" in printed
    write(tmp_path, "good.test.toml", golden.replace("WHAT", "pizza"))
    assert ivr_flow("test", tmp_path / "good.toml") == 1
    printed = capsys.readouterr().out
    assert "good.test.toml:6:1: error: expected to hear 'pizza', heard 'Done.'" in printed
    assert ivr_flow("test", tmp_path, "--json") == 1
    assert json.loads(capsys.readouterr().out)["conversations"][0]["passed"] is False


def test_another_flow_under_repair_fails_no_conversation(ivr_flow, tmp_path, capsys) -> None:
    write(tmp_path, "good.toml", GOOD)
    write(tmp_path, "bad.toml", BAD)
    golden = 'flow = "NAME"\n[[conversation]]\nname = "x"\nturns = [{ hears = "Balance" }]\n'
    file = write(tmp_path, "good.test.toml", golden.replace("NAME", "good"))
    assert ivr_flow("test", file) == 0
    write(tmp_path, "bad.test.toml", golden.replace("NAME", "bad"))
    assert ivr_flow("test", tmp_path) == 1
    assert "nothing is called x" in capsys.readouterr().out


def test_test_says_what_it_cannot_play(ivr_flow, tmp_path, capsys) -> None:
    assert ivr_flow("test", tmp_path) == 2
    write(tmp_path, "x.test.toml", 'flow = "x"\n[[conversation]]\nname = "n"\nturns = [{ keys = "1" }]\n')
    assert ivr_flow("test", tmp_path) == 1
    assert "x.test.toml:1:1: error: there is no flow x beside this file" in capsys.readouterr().out


def test_graph(ivr_flow, tmp_path, capsys) -> None:
    path = write(tmp_path, "good.toml", GOOD)
    assert ivr_flow("graph", path, "--mermaid") == 0
    assert "flowchart TD" in capsys.readouterr().out
    assert ivr_flow("graph", path, "--out", tmp_path / "good.svg") == 0
    assert (tmp_path / "good.svg").read_text("utf-8").startswith("<svg")
    assert ivr_flow("graph", "nowhere") == 2
    assert ivr_flow("graph", write(tmp_path, "bad.toml", BAD)) == 2
    assert "there is no step b" in capsys.readouterr().err


def test_history_and_rollback(tmp_path, capsys) -> None:
    parser = argparse.ArgumentParser()
    flowcli.add_arguments(parser)
    config = Config(root=tmp_path, flows=FlowsSettings(folder=tmp_path))
    assert flowcli.run(parser.parse_args(["history"]), config) == 1
    store = FlowStore(config.flows_folder, config.data_folder / "flows", Limits(share=0))
    for version in (1, 2):
        write(tmp_path, "good.toml", f"version = {version}\n{GOOD}")
        store.refresh(float(version))
    assert flowcli.run(parser.parse_args(["history", "good"]), config) == 0
    assert "good 2 (version 2)" in capsys.readouterr().out
    assert flowcli.run(parser.parse_args(["rollback", "good"]), config) == 0
    assert capsys.readouterr().out == "good: new calls get publication 1 (version 1)\n"
    assert flowcli.run(parser.parse_args(["rollback", "good"]), config) == 1


def test_talk(ivr_flow, tmp_path, capsys, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = iter(["vars", "~", "#2", "bye"])
    monkeypatch.setattr("builtins.input", lambda _: next(lines))
    assert ivr_flow("talk", write(tmp_path, "good.toml", GOOD)) == 0
    printed = capsys.readouterr().out
    assert "Balance?" in printed
    assert "I did not hear you." in printed
    assert "caller" in printed
    assert printed.endswith("Done.\nthe call is over: completed\n")


def test_a_queue_that_config_toml_does_not_name_is_a_mistake(ivr_flow, tmp_path, capsys) -> None:
    text = (
        'flow = "wait"\nstart = "wait"\n[step.wait]\ntype = "queue"\nqueue = "card"\n'
        'on.no_agents = "end"\non.timeout = "end"\n[step.end]\ntype = "hangup"\nprompt = "Done."\n'
    )
    assert ivr_flow("check", write(tmp_path, "wait.toml", text)) == 1
    assert "wait.toml:5:1: error: there is no queue card (did you mean cards?)" in capsys.readouterr().out
    assert ivr_flow("check", write(tmp_path, "wait.toml", text.replace('"card"', '"cards"'))) == 0


def test_talk_takes_the_pound_key_alone_and_says_when_nothing_happens(
    ivr_flow, tmp_path, capsys, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = GOOD.replace('[{ key = "1", say = ["balance"], next = "end" }', '[{ key = "#", next = "end" }')
    lines = iter(["uh huh", "#"])
    monkeypatch.setattr("builtins.input", lambda _: next(lines))
    assert ivr_flow("talk", write(tmp_path, "good.toml", text)) == 0
    _, _, waits, done, _ = capsys.readouterr().out.splitlines()
    assert "~ lets time go by" in waits
    assert done.endswith("Done.")


def test_two_talks_are_two_calls_for_a_service(ivr_flow, tmp_path, capsys, monkeypatch: pytest.MonkeyPatch) -> None:
    text = GOOD.replace('prompt = "Done."', 'prompt = "Call {call.id}."').replace('start = "ask"', 'start = "end"')
    flow = write(tmp_path, "good.toml", text)
    ids = set()
    for _ in range(2):
        monkeypatch.setattr("builtins.input", lambda _: "bye")
        assert ivr_flow("talk", flow) == 0
        ids.add(capsys.readouterr().out.partition("Call ")[2].partition(".")[0])
    assert len(ids) == 2
    assert all(one.startswith("talk-") for one in ids)


def test_talk_plays_a_queue(ivr_flow, tmp_path, capsys, monkeypatch: pytest.MonkeyPatch) -> None:
    text = (
        'flow = "wait"\nstart = "wait"\n[step.wait]\ntype = "queue"\nqueue = "cards"\nannounce_position = "yes"\n'
        'exit_key = "2"\non.exit_key = "end"\nmax_wait = "70s"\non.timeout = "wait"\nnext = "end"\n'
        '[step.end]\ntype = "hangup"\nprompt = "Done."\n'
    )
    file = write(tmp_path, "wait.toml", text)
    lines = iter(["!hello", "!joined 3 120", "~", "~", "!offered anna", "!answered anna", "!offered", "!ended"])
    monkeypatch.setattr("builtins.input", lambda _: next(lines))
    assert ivr_flow("talk", file) == 0
    printed = capsys.readouterr().out
    assert "!joined" in printed, "the commands are named where they work"
    assert printed.count("You are number 3 in line.") == 2
    assert printed.endswith("Done.\nthe call is over: completed\n")
    lines = iter(["!no_agents"])
    assert ivr_flow("talk", file) == 0
    assert "nobody is here to take your call" in capsys.readouterr().out
    lines = iter(["~", "~"])
    assert ivr_flow("talk", file) == 0
    assert "I cannot connect you" in capsys.readouterr().out, "nothing came from the queue for 15 s"


def test_talk_ends_with_its_input(ivr_flow, tmp_path, capsys, monkeypatch: pytest.MonkeyPatch) -> None:
    def nothing(_: str) -> str:
        raise EOFError

    monkeypatch.setattr("builtins.input", nothing)
    assert ivr_flow("talk", write(tmp_path, "good.toml", GOOD)) == 0
    assert "the caller hung up" in capsys.readouterr().out


def test_talk_with_written_answers_needs_a_readable_file(ivr_flow, tmp_path, capsys) -> None:
    path = write(tmp_path, "good.toml", GOOD)
    assert ivr_flow("talk", path, "--answers", tmp_path / "none.test.toml") == 2
    assert ivr_flow("talk", path, "--answers", path) == 2
    assert "conversation" in capsys.readouterr().err
    assert flowtalk.HELP


def test_a_drawing_that_cannot_be_written_is_no_crash(ivr_flow, tmp_path, capsys) -> None:
    path = write(tmp_path, "good.toml", GOOD)
    assert ivr_flow("graph", path, "--out", tmp_path / "nowhere" / "x.svg") == 2
    assert "cannot be written: No such file or directory" in capsys.readouterr().err


@pytest.mark.parametrize("before", ["<&-", "< /dev/null"])
def test_talk_needs_no_terminal_and_no_unicode(tmp_path, before: str) -> None:
    file = write(tmp_path, "good.toml", GOOD.replace("Balance?", "\u4f59\u989d\uff1f"))
    done = subprocess.run(
        f"{sys.executable} -m ivr flow talk {file} {before}",
        shell=True,
        capture_output=True,
        text=True,
        cwd=LIBRARY.parents[1],
        timeout=50,
        check=False,
        env={"PATH": os.environ["PATH"], "PYTHONIOENCODING": "ascii"},
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "the call is over: the caller hung up" in done.stdout
