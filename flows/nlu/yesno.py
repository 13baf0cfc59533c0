"""Yes and no, in the many ways people say them."""

import re

from flows.nlu.words import is_han, normal, without_fillers

_YES = (
    "yes", "yeah", "yep", "yup", "yes please", "correct", "right", "that's right", "that is right", "sure", "okay",
    "ok", "of course", "exactly", "absolutely", "affirmative", "true", "i do", "it is", "go ahead",
    "please do", "that's correct", "uh huh", "mhm", "alright", "fine", "certainly", "definitely", "i think so",
    "why not",
)  # fmt: skip
_NO = (
    "no", "nope", "nah", "no thanks", "no thank you", "not", "wrong", "incorrect", "negative", "don't", "never",
    "that's wrong", "not right", "not correct", "not really", "false", "i don't", "it isn't", "nothing", "none",
    "no no",
)  # fmt: skip
_HAN_NO = (
    "不是",
    "不对",
    "不行",
    "不要",
    "不用",
    "不好",
    "不了",
    "不需要",
    "没有",
    "没了",
    "错",
    "否",
    "不",
    "别",
    "没",
)
_HAN_YES = (
    "是的",
    "是",
    "对的",
    "对",
    "好的",
    "好",
    "可以",
    "行",
    "没错",
    "没问题",
    "嗯",
    "要",
    "需要",
    "确认",
    "确定",
    "同意",
    "正确",
    "当然",
)
_POLITE = re.compile(r"对不起|不好意思|[你您]好|不客气|没关系")
_HAN_UNSURE = re.compile(r"不知道|不清楚|不确定|不一定|不好说|差不多|没听|(.)[不没]\1")  # the last: "is it or not?"
_HAN_ALONE = re.compile(r"[是对好行嗯要]+(?:$|[的了啊呀吧哦呢嘛我你您就这那谢请])")
"""Signs that mean yes alone or before small words, but not inside of other words (银行, 重要, 好像)."""
_UNSURE = re.compile(r"\b(?:don't know|do not know|not sure|unsure|no idea|no problem|maybe|perhaps)\b")
_NO_ANSWER = re.compile(r"\bright (?:now|away)\b")


def yes_or_no(text: str) -> bool | None:
    """True for yes, False for no, None where neither or both were said."""
    said = normal(text)
    if not said:
        return None
    if is_han(said):
        return _han(said)
    if _UNSURE.search(said):
        return None
    said = _NO_ANSWER.sub(" ", said).strip()
    if said in _NO:
        return False
    if said in _YES:
        return True
    words = set(without_fillers(said).split()) | set(said.split())
    no = bool(words & {"no", "nope", "nah", "not", "wrong", "incorrect", "don't", "isn't", "never"})
    yes = bool(words & {"yes", "yeah", "yep", "yup", "correct", "right", "sure", "exactly"})
    if no and yes and words & {"not", "isn't"}:
        return False  # "that's not right"
    return yes if yes is not no else None


def _han(said: str) -> bool | None:
    said = _POLITE.sub("", said)
    if "没错" in said or "没问题" in said:
        return True
    if _HAN_UNSURE.search(said):
        return None
    if any(word in said for word in _HAN_NO):
        return False
    sure = any(word in said for word in _HAN_YES if len(word) > 1) or _HAN_ALONE.match(said.removeprefix("我"))
    return True if sure else None


def phrases(language: str) -> tuple[str, ...]:
    """Whole answers for the recogniser's grammar and the end-pointer, which waits longer where one begins another: so
    "yes" stands for "yes please" too, whose other words `more_words` has."""
    if language.startswith("zh"):
        return (*_HAN_YES, *_HAN_NO)
    return tuple(one for said in (_YES, _NO) for one in said if not _goes_on(one, said))


def more_words(language: str) -> tuple[str, ...]:
    """Words that go on from a whole answer without changing it."""
    if language.startswith("zh"):
        return ()
    longer = (one for said in (_YES, _NO) for one in said if _goes_on(one, said))
    return tuple(dict.fromkeys(word for one in longer for word in one.split()))


def _goes_on(phrase: str, said: tuple[str, ...]) -> bool:
    return any(phrase.startswith(f"{one} ") for one in said)
