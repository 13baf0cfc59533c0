"""Golden conversations as real calls: `ivr flow test --sip` against a running hotline."""

import json

import pytest

from ivr.config import Config, TelephonySettings
from ivr.goldendial import NoHotlineError, hotline_uri
from tests.net.hotline import wait_for

pytestmark = [pytest.mark.net, pytest.mark.timeout(300)]
GOLDEN = """flow = "quick"
[[conversation]]
name = "keys, a word, the end"
turns = [
  { hears = "Number or goodbye" },
  { keys = "1" },
  { hears = "Four digits" },
  { keys = "1234" },
  { hears = "Thank you", variables = { number = "1234" }, step = "ask" },
  { says = "goodbye" },
  { hears = "Bye", ends = "completed" },
]
[[conversation]]
name = "silence gets out"
turns = [{ silent = true }, { hears = "Hello" }, { silent = true }, { hears = "Bye", ends = "completed" }]
[[conversation]]
name = "unsure"
turns = [{ says = "yes", confidence = 0.6 }]
"""


@pytest.fixture
def hotline(make_hotline, flows, tmp_path):
    folder = tmp_path / "flows"
    folder.mkdir()
    (folder / "quick.toml").write_text((flows / "quick.toml").read_text())
    (folder / "quick.test.toml").write_text(GOLDEN)
    return make_hotline(flows=folder, port=0)


def test_conversations_are_called_and_compared_with_the_archive(hotline):
    def tested(*options: str) -> tuple[int, dict]:
        done = hotline.ivr("flow", "test", "--sip", "--uri", hotline.uri, "--json", *options, timeout=200)
        return done.returncode, json.loads(done.stdout or done.stderr)

    code, found = tested()
    assert [(one["passed"], one["left_out"]) for one in found["conversations"]] == [
        (True, ""),
        (True, ""),
        (None, "the recogniser's confidence is set"),
    ], found
    assert code == 0
    called = sorted(one["call"] for one in found["conversations"][:2])
    wait_for(lambda: sorted(call.path.name for call in hotline.archived()) == called)
    file = hotline.config.parent / "flows/quick.test.toml"
    wrong = GOLDEN.partition('[[conversation]]\nname = "silence')[0]
    file.write_text(wrong.replace('"Thank you", ', '"Thank you", not_hears = "Number", '))
    code, found = tested()
    assert code == 1
    assert found["conversations"][0]["passed"] is False
    assert any("expected not to hear 'Number'" in one["what"] for one in found["problems"])


def test_a_hotline_that_is_not_there_is_named_at_once(hotline):
    gone = hotline.ivr("flow", "test", "--sip", "--uri", "sip:127.0.0.1:9")
    assert gone.returncode == 2
    assert "no hotline answers at 127.0.0.1:9" in gone.stderr
    with pytest.raises(NoHotlineError, match="--uri sip:HOST:PORT"):
        hotline_uri(Config(telephony=TelephonySettings(port=0)), "")
    assert wait_for(lambda: hotline.child("door"))
