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
        "no_agents": "I am sorry, nobody is here to take your call right now.",
        "busy": "I am sorry, all our agents are busy.",
        "unreachable": "I am sorry, I cannot connect you right now.",
        "later": "Please call again later. Goodbye.",
        "waiting": "Please stay on the line. The next free agent will take your call.",
        "connecting": "One moment, please. I am connecting you.",
        "moment": "One moment, please.",
        "next_in_line": "You are next in line.",
        "place": "You are number {position} in line.",
        "place_more": "There are more than {limit} callers before you.",
        "holdtime": "The expected wait is about {minutes} minutes.",
        "holdtime_short": "The expected wait is about one minute.",
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
        "no_agents": "很抱歉，现在没有人工坐席接听您的电话。",
        "busy": "很抱歉，所有坐席都在忙。",
        "unreachable": "很抱歉，现在无法为您转接。",
        "later": "请稍后再来电。再见。",
        "waiting": "请不要挂机，坐席空闲后会马上接听您的电话。",
        "connecting": "请稍等，正在为您转接。",
        "moment": "请稍等。",
        "next_in_line": "下一位就轮到您。",
        "place": "您排在第{position}位。",
        "place_more": "您前面有超过{limit}位来电者在等待。",
        "holdtime": "预计等待约{minutes}分钟。",
        "holdtime_short": "预计等待约一分钟。",
        "yes": "是",
        "no": "不是",
    },
}


def wording(language: str) -> dict[str, str]:
    """The engine's own sentences; English where the language has none."""
    return _WORDS.get(language.split("-", 1)[0], _WORDS["en"])


LANGUAGES = tuple(_WORDS)
