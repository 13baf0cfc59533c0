"""What a flow will surely say."""

from flows.loader import read
from ivr.fixedprompts import FixedPrompt, fixed_prompts

FLOW = """
flow = "tiny"
start = "hello"
language = "en"
voice = "en-gb"
on.noinput = "bye"

[step.hello]
type = "menu"
prompt = ["Welcome.", { file = "jingle.wav" }, "Say {call.caller}.", "One."]
reprompt = { en = "Again.", zh-CN = "再说一遍。" }
choices = [{ key = "1", say = "one", next = "bye" }]
on.nomatch = [{ prompt = 'Wait.<break time="300ms"/>Now.' }, { next = "bye" }]

[step.bye]
type = "hangup"
prompt = "Welcome."
"""


def found() -> list[FixedPrompt]:
    flow, problems = read(FLOW, "tiny.toml")
    assert flow is not None, problems
    return list(fixed_prompts(flow))


def test_texts_without_variables_are_found_wherever_they_are() -> None:
    texts = [(prompt.text, prompt.language) for prompt in found()]
    for expected in [
        ("Welcome.", "en"),
        ("One.", "en"),
        ("Again.", "en"),
        ("再说一遍。", "zh-CN"),
        ("Wait.", "en"),
        ("Now.", "en"),
    ]:
        assert texts.count(expected) == 1
    assert not any("caller" in text or "jingle" in text for text, _ in texts)


def test_the_engines_own_sentences_come_last() -> None:
    texts = [prompt.text for prompt in found()]
    assert texts.index("I did not hear you.") > texts.index("Now.")
    assert not any("{" in text for text in texts)


def test_the_flows_voice_is_used() -> None:
    assert {prompt.voice for prompt in found()} == {"en-gb"}
