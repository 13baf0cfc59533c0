"""Cuts a text into clauses, so that the first can be played while the next is made.

Pure. Breaks only where a speaker would pause, and only where the piece is long enough not to sound chopped. Numbers,
amounts, times and abbreviations stay whole.
"""

import re

# How much speech a piece must hold, in letters and digits; a Chinese character counts for three.
MIN_SENTENCE = 10
MIN_PART = 24  # of a sentence
MAX_LENGTH = 180

SENTENCE_PAUSE_MS = 250.0
PAUSE_MS = 120.0

_CLOSING = r"[\"'”’)\]」』）》]*"
_BREAK = re.compile(rf"(?:[。！？；…]+|[.!?;]+(?={_CLOSING}(?:\s|$))){_CLOSING}|[，：]|[,:](?=\s)")
_SENTENCE_END = re.compile(rf"[。！？；….!?;]{_CLOSING}$")
_PAUSE_END = re.compile(r"[，：,:、]$")
_TITLES = frozenset(
    {
        "mr",
        "mrs",
        "ms",
        "dr",
        "prof",
        "st",
        "mt",
        "ave",
        "rd",
        "blvd",
        "jr",
        "sr",
        "inc",
        "ltd",
        "co",
        "corp",
        "dept",
        "ext",
        "vs",
        "approx",
        "etc",
        "e.g",
        "i.e",
    }
)
_BEFORE_NUMBERS = frozenset({"no", "nos", "art", "fig", "sec", "tel", "p", "pp"})
_MAY_END_A_SENTENCE = frozenset({"a.m", "p.m", "u.s", "u.k", "etc", "inc", "ltd", "co", "corp", "jr", "sr"})
_LAST_WORD = re.compile(r"([A-Za-z](?:[A-Za-z.]*[A-Za-z])?)\.$")


def clauses(text: str) -> tuple[str, ...]:
    """The clauses in order, white space tidied; together they are the text. Empty when there is nothing to say."""
    tidy = " ".join(text.split())
    parts = [part for sentence in _sentences(_pieces(tidy)) for part in _parts(sentence)]
    return tuple(piece for part in parts for piece in _bounded(part))


def pause_after_ms(clause: str) -> float:
    """How long a speaker pauses after this clause, told from its last punctuation mark."""
    if _SENTENCE_END.search(clause):
        return SENTENCE_PAUSE_MS
    return PAUSE_MS if _PAUSE_END.search(clause) else 0.0


def _pieces(text: str) -> list[str]:
    """Cut at every place where a pause is possible."""
    pieces, start = [], 0
    for match in _BREAK.finditer(text):
        if match[0].startswith(".") and _abbreviates(text[start : match.start() + 1], text[match.end() :]):
            continue
        pieces.append(text[start : match.end()])
        start = match.end()
    return [*pieces, text[start:]]


def _abbreviates(before: str, after: str) -> bool:
    """Whether the full stop that ends `before` belongs to an abbreviation and no sentence ends there."""
    word = _LAST_WORD.search(before)
    following = after.lstrip()
    if word is None or not following:
        return False
    name = word[1].lower()
    if name in _BEFORE_NUMBERS:
        return following[0].isdigit()
    if name in _MAY_END_A_SENTENCE:
        return not following[0].isupper()
    return name in _TITLES or "." in name or (len(name) == 1 and word[1].isupper())


def _sentences(pieces: list[str]) -> list[list[str]]:
    """Groups pieces by sentence; one too short to stand alone goes with the next, marks alone with the one before."""
    sentences: list[list[str]] = [[]]
    for piece in pieces:
        sentences[-1].append(piece)
        if _SENTENCE_END.search(piece) and _length("".join(sentences[-1])) >= MIN_SENTENCE:
            sentences.append([])
    if len(sentences) > 1 and not _length("".join(sentences[-1])):
        marks = sentences.pop()
        sentences[-1] += marks
    return sentences


def _parts(sentence: list[str]) -> list[str]:
    """Joins the pieces of a sentence until what is cut off and what remains are both long enough."""
    parts = [""]
    for number, piece in enumerate(sentence):
        parts[-1] += piece
        rest = "".join(sentence[number + 1 :])
        if _length(parts[-1]) >= MIN_PART and _length(rest) >= MIN_PART:
            parts.append("")
    return [part.strip() for part in parts if _length(part)]


def _bounded(piece: str) -> list[str]:
    """Cuts what has no pause for too long at the last space, or anywhere when there is none."""
    parts = []
    while _length(piece) > MAX_LENGTH:
        end, length = 0, 0
        while length < MAX_LENGTH:
            length += _weight(piece[end])
            end += 1
        cut = max(piece.rfind(" ", end // 2, end), piece.rfind("、", end // 2, end)) + 1 or end
        parts.append(piece[:cut].strip())
        piece = piece[cut:]
    return [*parts, piece.strip()]


def _length(text: str) -> int:
    return sum(map(_weight, text))


def _weight(character: str) -> int:
    if not character.isalnum():
        return 0
    return 3 if character >= "\u2e80" else 1
