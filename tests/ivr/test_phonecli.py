"""`ivr dial`: orders that cannot be carried out are refused before anybody is called."""

import argparse
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from ivr import phone, phonecli
from ivr.replies import Replies
from telephony.errors import DialError


@pytest.fixture
def parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="ivr dial")
    phonecli.add_arguments(parser)
    return parser


def refusal(parser: argparse.ArgumentParser, capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    with pytest.raises(SystemExit) as stopped:
        parser.parse_args(arguments)
    assert stopped.value.code == 2
    return capsys.readouterr().err.splitlines()[-1]


@pytest.mark.parametrize(
    ("written", "called"),
    [
        ("sip:hotline@192.0.2.1:5060", "sip:hotline@192.0.2.1:5060"),
        ("bank-zh@pbx.example", "sip:bank-zh@pbx.example"),
        ("sip:[2001:db8::1]:5070", "sip:[2001:db8::1]:5070"),
        ("sip:+1555@host;transport=tcp", "sip:+1555@host;transport=tcp"),
    ],
)
def test_an_address_may_lack_its_scheme(parser: argparse.ArgumentParser, written: str, called: str) -> None:
    assert parser.parse_args([written]).uri == called


@pytest.mark.parametrize("wrong", ["sip:", "two words", "sip:a@b@c", "http://example/x"])
def test_what_is_no_address_is_refused(
    parser: argparse.ArgumentParser, capsys: pytest.CaptureFixture[str], wrong: str
) -> None:
    assert "not an address like sip:hotline@127.0.0.1:5060" in refusal(parser, capsys, wrong)


@pytest.mark.parametrize(
    ("order", "says"),
    [
        (("--keys", "12x"), "keys are 0-9, * and #"),
        (("--wait", "abc"), "not a number of seconds"),
        (("--play", "/nonexistent.wav"), "there is no file /nonexistent.wav"),
        (("--say", "hello", ""), "nothing to say"),
        (("--record", "/nonexistent/out.wav"), "cannot be written"),
    ],
)
def test_an_impossible_order_is_refused(
    parser: argparse.ArgumentParser, capsys: pytest.CaptureFixture[str], order: tuple[str, str], says: str
) -> None:
    assert says in refusal(parser, capsys, "sip:a@127.0.0.1", *order)


def test_turns_keep_their_order(parser: argparse.ArgumentParser) -> None:
    options = parser.parse_args(["sip:a@b", "--keys", "1#", "--say", "one", "two", "--wait", "0.5", "--keys", "2"])
    assert options.turns == [("keys", "1#"), ("say", "one"), ("say", "two"), ("wait", "0.5"), ("keys", "2")]


def test_a_recording_of_another_rate_says_how_to_convert_it(
    parser: argparse.ArgumentParser, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    file = tmp_path / "wide.wav"
    soundfile.write(file, np.zeros(160, np.int16), 16000)
    assert f"sox {file} -r 8000 -c 1 -b 16" in refusal(parser, capsys, "sip:a@b", "--play", str(file))
    soundfile.write(file, np.zeros(160, np.int16), 8000)
    assert parser.parse_args(["sip:a@b", "--play", str(file)]).turns == [("play", str(file))]


def test_a_host_that_nobody_knows_is_named() -> None:
    assert phone.local_address("sip:hotline@127.0.0.1:5060") == "127.0.0.1"
    with pytest.raises(DialError, match=r"the host 'nobody\.invalid' is not known"):
        phone.local_address("sip:hotline@nobody.invalid")


async def test_the_reply_to_several_keys_is_counted_from_the_last_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """It had the time in it that the keys take: 700 ms more for four."""
    done: list[str] = []
    monkeypatch.setattr(phone, "KEY_S", 0.0)
    monkeypatch.setattr(Replies, "spoke", lambda _replies, _sample: done.append("spoke"))

    class Line:
        def post(self, command: Callable[[], object]) -> None:
            command()

        def send_keys(self, keys: str) -> None:
            done.append(keys)

    caller = phone.Phone(lambda _text: Path(), lambda _at_s, _line: None)
    await caller._press(Line(), Line(), "12")  # type: ignore[arg-type]
    assert done == ["spoke", "1", "spoke", "2"]
