"""What callers say and hear: keys used twice, choices that sound alike, unknown words, missing translations."""

import re
from collections.abc import Iterator, Mapping

from anyascii import anyascii

from flows.checks.report import Report
from flows.checks.walk import Found, values
from flows.flow import Flow
from flows.nlu.words import is_han, normal
from flows.positions import Path
from flows.steps.base import ANY_LANGUAGE, Phrases, Prompt, Recorded
from flows.steps.outside import Language
from flows.steps.speech import Gather, Menu
from flows.templates import Template
from flows.wording import LANGUAGES

Vocabulary = Mapping[str, frozenset[str]]
MOST_COMPARED = 200  # phrases of one step; with thousands, comparing each with each would take minutes


def check(report: Report, flow: Flow, vocabulary: Vocabulary) -> None:
    """Reports what a caller would stumble over."""
    if flow.header.language.split("-", 1)[0] not in LANGUAGES:
        what = f"the engine's own sentences and spoken numbers know {' and '.join(LANGUAGES)} only"
        report.warning(("language",), "language.unknown", what, "they will be English")
    spoken = languages(flow)
    for name, step in flow.steps.items():
        options = _options(("step", name), step)
        _keys(report, options)
        for language in spoken:
            _alike(report, options, language)
    for path, value in _everything(flow):
        if isinstance(value, Prompt):
            _translated(report, path, value, spoken)
        elif isinstance(value, Phrases):
            _said(report, path, value, spoken)
            _words(report, path, value, spoken, vocabulary)


def languages(flow: Flow) -> list[str]:
    """The languages that the flow speaks."""
    switched = (step.language for step in flow.steps.values() if isinstance(step, Language))
    return list(dict.fromkeys((flow.header.language, *switched)))


def _options(path: Path, step: object) -> list[tuple[Path, str | None, Phrases | None]]:
    match step:
        case Menu():
            return [((*path, "choices", place), one.key, one.say) for place, one in enumerate(step.choices)]
        case Gather():
            return [((*path, "items", place), one.key, one.say) for place, one in enumerate(step.items)]
    return []


def _keys(report: Report, options: list[tuple[Path, str | None, Phrases | None]]) -> None:
    seen: set[str] = set()
    for path, key, _ in options:
        if key is None:
            continue
        if key in seen:
            report.error((*path, "key"), "key.twice", f"key {key} is used twice in this step", "choose another key")
        seen.add(key)


def _alike(report: Report, options: list[tuple[Path, str | None, Phrases | None]], language: str) -> None:
    seen: dict[str, int] = {}
    for number, (path, _, say) in enumerate(options):
        for phrase in say.within(language) if say else ():
            said = normal(phrase)
            if not said:
                report.error((*path, "say"), "phrase.empty", f'"{phrase}" holds nothing that can be said')
                continue
            if seen.get(said, number) != number:
                report.error(
                    (*path, "say"), "phrase.twice", f'"{phrase}" chooses two things', "say one of them otherwise"
                )
            for other, owner in seen.items() if len(seen) <= MOST_COMPARED else ():
                if owner != number and said != other and sounds_like(said, other):
                    mend = "choose words that differ more"
                    report.warning((*path, "say"), "phrase.alike", f'"{phrase}" sounds much like "{other}"', mend)
            seen.setdefault(said, number)


def sounds_like(one: str, other: str) -> bool:
    """Whether a recogniser would often take one phrase for the other: the same sounds but for one or two."""
    if is_han(one) or is_han(other):
        return _blurred(syllables(one)) == _blurred(syllables(other))
    first, second = _sounds(one), _sounds(other)
    longest = max(len(first), len(second))
    return longest >= 3 and _distance(first, second) <= (1 if longest >= 5 else 0)


def syllables(phrase: str) -> str:
    """A Mandarin phrase as its syllables without tones, which a telephone line blurs first (toneless pinyin)."""
    return " ".join(anyascii(sign).strip().lower() if is_han(sign) else sign for sign in phrase)


def _blurred(spelled: str) -> str:
    """Pinyin without the differences that many speakers do not make: zh and z, ch and c, sh and s; ng and n."""
    return re.sub(r"ng\b", "n", re.sub(r"\b([zcs])h", r"\1", spelled))


_SILENT_E = re.compile(r"(?<=[aeiou][b-df-hj-np-tv-z])e\b")
_BLURRED = "ce>se ci>si cy>si ow>a ght>t ph>f ck>k wh>w wr>r kn>n th>d sh>s ch>s qu>kw x>ks z>s c>k v>f b>p g>k t>d y>i"
_SOUNDS = [pair.split(">") for pair in _BLURRED.split()]


def _sounds(phrase: str) -> str:
    """A rough spelling of English sounds: consonants that lines blur fall together, vowels become one."""
    text = _SILENT_E.sub("", phrase).replace(" ", "").replace("'", "")
    for written, sound in _SOUNDS:
        text = text.replace(written, sound)
    text = "".join("a" if letter in "aeiou" else letter for letter in text)
    return "".join(letter for place, letter in enumerate(text) if place == 0 or letter != text[place - 1])


def _distance(one: str, other: str) -> int:
    row = list(range(len(other) + 1))
    for place, letter in enumerate(one, 1):
        before, row[0] = row[0], place
        for column, wanted in enumerate(other, 1):
            before, row[column] = row[column], min(row[column] + 1, row[column - 1] + 1, before + (letter != wanted))
    return row[-1]


def _everything(flow: Flow) -> Iterator[Found]:
    yield from values(flow.header, ())
    for name, step in flow.steps.items():
        yield from values(step, ("step", name))


def _translated(report: Report, path: Path, prompt: Prompt, spoken: list[str]) -> None:
    if not any(_has_content(part) for _, parts in prompt.variants for part in parts):
        report.warning(path, "prompt.empty", "this prompt is empty", "write what the caller should hear")
    if len(spoken) > 1 and any(_is_worded(prompt, part) for _, parts in prompt.variants for part in parts):
        what = "this prompt has one text for all languages"
        report.warning(path, "prompt.translation", what, 'write { en = "...", "zh-CN" = "..." }')
    for language in spoken:
        if prompt.within(language) is None:
            mend = f'add "{language}" = "..."'
            report.error(path, "prompt.translation", f"this prompt has no text in {language}", mend)


def _said(report: Report, path: Path, phrases: Phrases, spoken: list[str]) -> None:
    """Words that may be said in some of the languages only; those given without a language stand for all of them."""
    for language in spoken:
        if not phrases.within(language):
            what = f"nothing can be said here in {language}"
            report.warning(path, "phrase.translation", what, f'add "{language}" = ["..."]')
    if len(spoken) > 1 and any(tag == ANY_LANGUAGE for tag, _ in phrases.variants):
        mend = 'write { en = ["..."], "zh-CN" = ["..."] }'
        report.warning(path, "phrase.translation", "these words are the same in all languages", mend)


def _is_worded(prompt: Prompt, part: Template | Recorded) -> bool:
    if prompt.variants[0][0] != ANY_LANGUAGE or isinstance(part, Recorded):
        return False
    return any(isinstance(text, str) and any(map(str.isalpha, text)) for text in part.parts)


def _has_content(part: Template | Recorded) -> bool:
    return isinstance(part, Recorded) or bool(part.source.strip())


def _words(report: Report, path: Path, phrases: Phrases, spoken: list[str], vocabulary: Vocabulary) -> None:
    for language, known in vocabulary.items():
        tags = [tag for tag in spoken if tag.split("-", 1)[0] == language.split("-", 1)[0]]
        said = [normal(phrase) for tag in tags for phrase in phrases.within(tag)]
        unknown = sorted({word for phrase in said for word in phrase.split() if word not in known})
        if unknown:
            what = f"the {language} recogniser does not know: {', '.join(unknown)}"
            mend = "fetch a larger model (ivr models list), or choose other words; the keys work anyway"
            report.warning(path, "word.unknown", what, mend)
