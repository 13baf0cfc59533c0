"""Words and keys that work in every step: those of the flow's [command] tables, and "repeat that" and "go back"."""

from flows.flow import Command, Flow
from flows.nlu.choices import choose
from flows.nlu.words import normal

_OWN = {
    "en": {
        "repeat": ("repeat", "repeat that", "say that again", "say it again", "repeat please"),
        "back": ("go back", "back"),
    },
    "zh": {"repeat": ("再说一遍", "重复一遍", "重复", "再说一次"), "back": ("返回", "上一步", "回到上一步")},
}
REPEAT, BACK = "repeat", "back"
OWN = (REPEAT, BACK)


def phrases(flow: Flow, language: str) -> dict[str, tuple[str, ...]]:
    """The words of each command in this language; a flow's own `repeat` or `back` replaces the engine's."""
    found = dict(_OWN.get(language.split("-", 1)[0], {}))
    for name, command in flow.header.command.items():
        found[name] = command.say.within(language) if command.say else ()
    return found


def heard(flow: Flow, language: str, text: str) -> str | None:
    """The command that was said."""
    known = phrases(flow, language)
    place = choose(text, list(known.values()))
    return None if place is None else list(known)[place]


def exactly(flow: Flow, language: str, text: str) -> str | None:
    """The command whose words were all that was said: where any words are an answer, only these are none."""
    said = normal(text)
    known = phrases(flow, language)
    return next((name for name, words in known.items() if said in map(normal, words)), None)


def pressed(flow: Flow, keys: str) -> str | None:
    """The command whose key was pressed."""
    return next((name for name, command in flow.header.command.items() if command.key == keys), None)


def named(flow: Flow, name: str) -> Command:
    """The command of this name; an empty one for those the engine brings along."""
    return flow.header.command.get(name) or Command()
