"""Brings recognised text into one form: small letters, no punctuation, single spaces."""

import re
import unicodedata
from functools import lru_cache

_NOT_WORD = re.compile(r"[^\w'\[\]*#-]+|_")
_HAN = re.compile(r"[㐀-鿿〇]")
_HAN_GAP = re.compile(r"(?<=[㐀-鿿〇])\s+(?=[㐀-鿿〇])")
_FILLERS = {"um", "uh", "er", "erm", "please", "it's", "its", "it", "is", "the", "my", "number", "that's", "[unk]", "a"}
_HAN_FILLERS = re.compile(r"请问|我的|号码|账号|是|那个|呃|嗯|啊|吧|呢|的")
BACKCHANNELS = {
    "uh huh", "uh-huh", "mm", "mhm", "mm hmm", "mm-hmm", "hm", "hmm", "ok", "okay", "i see", "right", "yeah", "ah",
    "oh", "uh", "um", "er", "alright", "嗯", "嗯嗯", "哦", "噢", "啊", "呃", "好", "好的", "是", "是的", "对", "哦哦",
}  # fmt: skip

# What recognisers make of a hesitation that is in none of their words.
_HESITATIONS = {"um", "uh", "er", "erm", "a", "the", "[unk]"}
_SPOKEN_BACKCHANNELS = {"en": ("uh", "huh", "um", "mm", "hm", "hmm", "oh", "ah", "okay", "right", "yeah", "alright")}


@lru_cache(maxsize=4096)
def normal(text: str) -> str:
    """The text without what recognisers and authors write differently. Han characters stand without spaces."""
    text = unicodedata.normalize("NFKC", text[:2_000]).casefold().replace("’", "'")
    return _HAN_GAP.sub("", " ".join(_NOT_WORD.sub(" ", text).split()))


def is_han(text: str) -> bool:
    """Whether the text holds Chinese characters."""
    return _HAN.search(text) is not None


def without_fillers(text: str) -> str:
    """Normal text without the small words around an answer ("it's four two please")."""
    if is_han(text):
        return _HAN_FILLERS.sub("", text).replace(" ", "")
    return " ".join(word for word in text.split() if word not in _FILLERS)


def is_backchannel(text: str) -> bool:
    """Whether this is only "uh-huh": a sign of listening, no turn of its own. Nor is a hesitation alone one."""
    said = normal(text)
    return said in BACKCHANNELS or (said != "" and _HESITATIONS.issuperset(said.split()))


def backchannel_words(language: str) -> tuple[str, ...]:
    """The words of backchannels that a recogniser must know of, lest it takes "okay" for "operator"."""
    return _SPOKEN_BACKCHANNELS.get(language.split("-", maxsplit=1)[0], ())


def is_noise(text: str) -> bool:
    """Whether nothing was understood at all: no text, or only the recogniser's mark for an unknown word."""
    return not normal(text).replace("[unk]", "").strip()
