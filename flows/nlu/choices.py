"""Which of several listed answers was said."""

from collections.abc import Sequence

from flows.nlu.words import is_han, normal


def choose(text: str, choices: Sequence[Sequence[str]]) -> int | None:
    """The place of the choice whose phrase was said; None where none was, or several equally well.

    A phrase said alone wins; then the longest phrase heard within the utterance ("I want my balance please").
    """
    said = normal(text)
    if not said:
        return None
    best: tuple[int, int] | None = None
    clear = True
    for place, phrases in enumerate(choices):
        length = max((_fit(said, normal(phrase)) for phrase in phrases), default=0)
        if not length:
            continue
        if best is None or length > best[0]:
            best, clear = (length, place), True
        elif length == best[0] and place != best[1]:
            clear = False
    return best[1] if best and clear else None


def _fit(said: str, phrase: str) -> int:
    """How well the phrase fits: its length where it was said among other words, more where it was all."""
    if not phrase:
        return 0
    if said == phrase:
        return 10_000 + len(phrase)
    if is_han(phrase):
        return len(phrase) if phrase in said else 0
    return len(phrase) if f" {phrase} " in f" {said} " else 0
