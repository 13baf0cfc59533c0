"""What the engine says by itself where the author wrote nothing, in each language."""

_WORDS = {
    "en": {
        "noinput": "I did not hear you.",
        "nomatch": "I did not understand.",
        "max_speech": "Please say it in fewer words.",
        "confirm": "I heard {heard}. Is that right?",
        "attempts": "I am sorry, this is not working. Please call again later. Goodbye.",
        "broken": "I am sorry, something went wrong on our side. Please call again later. Goodbye.",
        "unavailable": "I am sorry, this service is not available yet.",
        "yes": "yes",
        "no": "no",
    },
    "zh": {
        "noinput": "我没有听到您的回答。",
        "nomatch": "我没有听懂。",
        "max_speech": "请您说得简短一些。",
        "confirm": "我听到的是{heard}，对吗？",
        "attempts": "很抱歉，没能帮到您，请稍后再来电。再见。",
        "broken": "很抱歉，系统出了问题，请稍后再来电。再见。",
        "unavailable": "很抱歉，这项服务暂时还不可用。",
        "yes": "是",
        "no": "不是",
    },
}


def wording(language: str) -> dict[str, str]:
    """The engine's own sentences; English where the language has none."""
    return _WORDS.get(language.split("-", 1)[0], _WORDS["en"])


LANGUAGES = tuple(_WORDS)
