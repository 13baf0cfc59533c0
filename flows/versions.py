"""Which version of a flow a new call gets: publishing, canary, automatic rollback, history. Pure.

A `Shelf` holds the versions of one flow, oldest first: one is current, at most one newer is on trial (the canary) and
takes its share of new calls. A call keeps the version it began with. The trial ends by itself: well, when it has served
enough calls no worse than the current one; badly, as soon as its rate of failures is clearly worse.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from math import sqrt

FAILURES = frozenset({"flow_error", "worker_died"})
HANGUPS = frozenset({"caller_hangup"})
DOUBT = 2.5


class Standing(StrEnum):
    """What has become of a version."""

    TRIAL = "trial"
    CURRENT = "current"
    RETIRED = "retired"
    """A newer one has taken its place."""
    WITHDRAWN = "withdrawn"
    """It was worse than its predecessor, or somebody rolled it back."""


class Verdict(StrEnum):
    """What a trial has shown."""

    UNDECIDED = "undecided"
    GOOD = "good"
    ERRORS = "errors"
    HANGUPS = "hangups"


@dataclass(frozen=True, slots=True)
class Limits:
    """When a trial ends. Rates are 0 to 1; a trial may be worse than the current version by the margins, not more."""

    share: float = 0.1
    enough_calls: int = 50
    least_calls: int = 10
    error_margin: float = 0.05
    hangup_margin: float = 0.15


@dataclass(frozen=True, slots=True)
class Tally:
    """How the calls of one version ended."""

    calls: int = 0
    errors: int = 0
    hangups: int = 0

    def plus(self, termination: str) -> "Tally":
        """One more call that ended so."""
        return Tally(self.calls + 1, self.errors + (termination in FAILURES), self.hangups + (termination in HANGUPS))

    @property
    def error_rate(self) -> float:
        """Calls that ended because of the flow or its process, of all."""
        return self.errors / self.calls if self.calls else 0.0

    @property
    def hangup_rate(self) -> float:
        """Calls that the caller broke off, of all."""
        return self.hangups / self.calls if self.calls else 0.0


@dataclass(frozen=True, slots=True)
class Version:
    """One published version. `digest` names its text; `number` counts publications, the author's version is `label`.

    `parts` are its sub-flows (name = digest of the text): published with it, tried with it, taken back with it.
    `text` is the digest of its own text alone.
    """

    number: int
    digest: str
    label: int
    published: float
    standing: Standing
    tally: Tally = field(default_factory=Tally)
    why: str = ""
    parts: Mapping[str, str] = field(default_factory=dict)
    text: str = ""


@dataclass(frozen=True, slots=True)
class Shelf:
    """All versions of one flow, oldest first."""

    flow: str
    versions: tuple[Version, ...] = ()

    @property
    def current(self) -> Version | None:
        """The version most calls get."""
        return next((one for one in reversed(self.versions) if one.standing is Standing.CURRENT), None)

    @property
    def trial(self) -> Version | None:
        """The version on trial."""
        return next((one for one in reversed(self.versions) if one.standing is Standing.TRIAL), None)


def publish(
    shelf: Shelf,
    digest: str,
    label: int,
    now: float,
    limits: Limits,
    parts: Mapping[str, str] | None = None,
    text: str = "",
) -> Shelf:
    """A new version comes in: on trial if there is one it can be compared with and it is to have a share, else current.

    The text that was published last changes nothing, even if it was withdrawn since: it needs an edit to come back.
    Going back to the current text ends a trial. `digest` differs also where one of the `parts` does; an edit of those
    alone does not bring back a `text` that was withdrawn.
    """
    if shelf.current and shelf.current.digest == digest:
        return withdraw(shelf, "taken back") if shelf.trial else shelf
    if shelf.versions and (shelf.versions[-1].digest == digest or _is_withdrawn(shelf, text)):
        return shelf
    on_trial = shelf.current is not None and 0 < limits.share < 1
    standing = Standing.TRIAL if on_trial else Standing.CURRENT
    ended = (Standing.TRIAL,) if on_trial else (Standing.TRIAL, Standing.CURRENT)
    kept = tuple(replace(one, standing=Standing.RETIRED) if one.standing in ended else one for one in shelf.versions)
    number = max((one.number for one in shelf.versions), default=0) + 1
    version = Version(number, digest, label, now, standing, parts=parts or {}, text=text)
    return replace(shelf, versions=(*kept, version))


def _is_withdrawn(shelf: Shelf, text: str) -> bool:
    """Whether this is the text that was taken back last, and not, for a fault of its sub-flows, the current one too."""
    last, current = shelf.versions[-1], shelf.current
    other = current is not None and current.text != text
    return last.standing is Standing.WITHDRAWN and text != "" and last.text == text and other


def pick(shelf: Shelf, chance: float, limits: Limits) -> Version | None:
    """The version for a new call; `chance` is a random number from 0 to 1. None while nothing is published."""
    return shelf.trial if shelf.trial and chance < limits.share else shelf.current


def ended(shelf: Shelf, number: int, termination: str, limits: Limits) -> Shelf:
    """A call of this version has ended; a trial that has shown enough ends with it."""
    counted = tuple(
        replace(one, tally=one.tally.plus(termination)) if one.number == number else one for one in shelf.versions
    )
    shelf = replace(shelf, versions=counted)
    trial, current = shelf.trial, shelf.current
    if current is None:
        return shelf
    if trial is None:
        return _judged(shelf, current, limits)
    match verdict(trial.tally, current.tally, limits):
        case Verdict.GOOD:
            return promote(shelf)
        case Verdict.ERRORS | Verdict.HANGUPS as bad:
            return withdraw(shelf, _reason(trial.tally, bad))
    return shelf


def _judged(shelf: Shelf, current: Version, limits: Limits) -> Shelf:
    """A version that went live without a trial is still taken back while its first calls go worse than before."""
    before = next((one for one in reversed(shelf.versions) if one.standing is Standing.RETIRED), None)
    if before is None or before.number > current.number or current.tally.calls > limits.enough_calls:
        return shelf
    found = verdict(current.tally, before.tally, limits)
    return rollback(shelf, _reason(current.tally, found)) if found in (Verdict.ERRORS, Verdict.HANGUPS) else shelf


def _reason(tally: Tally, bad: Verdict) -> str:
    rate = tally.error_rate if bad is Verdict.ERRORS else tally.hangup_rate
    return f"{rate:.0%} {bad} in {tally.calls} calls"


def verdict(trial: Tally, current: Tally, limits: Limits) -> Verdict:
    """What the trial has shown, compared with the current version."""
    if trial.calls < limits.least_calls:
        return Verdict.UNDECIDED
    sure = trial.calls >= limits.enough_calls
    if trial.error_rate > _bound(current.error_rate + limits.error_margin, trial.calls, sure=sure):
        return Verdict.ERRORS
    hangups = _bound(current.hangup_rate + limits.hangup_margin, trial.calls, sure=sure)
    if trial.hangup_rate > hangups and current.calls >= limits.least_calls:
        return Verdict.HANGUPS
    return Verdict.GOOD if trial.calls >= limits.enough_calls else Verdict.UNDECIDED


def _bound(rate: float, calls: int, *, sure: bool) -> float:
    """The rate that must be passed. Before there are enough calls chance has its share: DOUBT standard errors."""
    rate = min(rate, 1.0)
    return rate if sure else rate + DOUBT * sqrt(rate * (1.0 - rate) / calls)


def promote(shelf: Shelf) -> Shelf:
    """The version on trial becomes the current one."""
    standings = {Standing.TRIAL: Standing.CURRENT, Standing.CURRENT: Standing.RETIRED}
    return shelf if shelf.trial is None else _with(shelf, standings)


def withdraw(shelf: Shelf, why: str) -> Shelf:
    """The version on trial is taken back; the current one goes on."""
    return _with(shelf, {Standing.TRIAL: Standing.WITHDRAWN}, why)


def rollback(shelf: Shelf, why: str) -> Shelf:
    """Takes back the trial, or if there is none the current version: the one before it that was good comes back."""
    if shelf.trial:
        return withdraw(shelf, why)
    before = next((one for one in reversed(shelf.versions) if one.standing is Standing.RETIRED), None)
    if before is None:
        return shelf
    back = _with(shelf, {Standing.CURRENT: Standing.WITHDRAWN}, why)
    again = (replace(one, standing=Standing.CURRENT) if one.number == before.number else one for one in back.versions)
    return replace(back, versions=tuple(again))


def _with(shelf: Shelf, standings: Mapping[Standing, Standing], why: str = "") -> Shelf:
    changed = tuple(
        replace(one, standing=standings[one.standing], why=why or one.why) if one.standing in standings else one
        for one in shelf.versions
    )
    return replace(shelf, versions=changed)
