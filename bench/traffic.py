"""Callers and agents in virtual time, driven through the real ACD by a heap of events; and the textbook queue beside
it.

Arrivals are Poisson, talk times exponential (Erlang's assumptions) or lognormal. An agent answers at the moment it
rings.
"""

import heapq
import math
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count

from bench.centre import Centre
from ivr.acd.agents import Event, Signal
from ivr.acd.estimate import place
from ivr.acd.model import Agent, AgentState, Membership, QueueSettings, Strategy, Waiting


@dataclass(frozen=True, slots=True)
class Call:
    """A caller to come: when, to which queue, and how long the talk with the agent will be. Seconds."""

    at: float
    queue: str
    talk_s: float


@dataclass(slots=True)
class Outcome:
    """What a run gave. `within`: waits of at most 20 s. `strayed_s`: the largest difference of a wait from the textbook
    queue's with the same calls, where there is one. `guesses`: (expected, true) wait of callers who found nobody free.
    """

    calls: int = 0
    waited_s: float = 0.0
    within: int = 0
    last_at: float = 0.0
    talked_s: float = 0.0
    strayed_s: float = 0.0
    guesses: list[tuple[float, float]] = field(default_factory=list)

    @property
    def asa_s(self) -> float:
        """Average speed of answer."""
        return self.waited_s / self.calls

    @property
    def service_level(self) -> float:
        """Share of callers answered within 20 s."""
        return self.within / self.calls

    @property
    def load(self) -> float:
        """Erlangs that the calls drawn really were."""
        return self.talked_s / self.last_at


def poisson(load: float, talk_s: float, calls: int, seed: int) -> Iterator[Call]:
    """Erlang's callers for one queue, "q": so many erlangs of exponential talks with this mean."""
    draw = random.Random(seed)
    at = 0.0
    for _ in range(calls):
        at += draw.expovariate(load / talk_s)
        yield Call(at, "q", draw.expovariate(1 / talk_s))


def lognormal(loads: dict[str, float], talk_s: float, spread: float, calls: int, seed: int) -> Iterator[Call]:
    """Callers of several queues (name -> erlangs); talks vary by `spread` (standard deviation / mean)."""
    draw, at, total = random.Random(seed), 0.0, sum(loads.values())
    sigma = math.sqrt(math.log(1 + spread * spread))
    for _ in range(calls):
        at += draw.expovariate(total / talk_s)
        [queue] = draw.choices(list(loads), list(loads.values()))
        yield Call(at, queue, draw.lognormvariate(math.log(talk_s) - sigma * sigma / 2, sigma))


def one_queue(agents: int, strategy: Strategy = Strategy.LONGEST_IDLE) -> Centre:
    """So many equal agents in queue "q", all ready."""
    centre = Centre({"q": QueueSettings("q", strategy)}, random.Random(1).random)
    for number in range(agents):
        add(centre, f"agent{number:03}", ["q"])
    return centre


def add(centre: Centre, name: str, queues: Sequence[str]) -> None:
    """One more agent, ready."""
    places = tuple(Membership(queue, order=len(centre.agents)) for queue in queues)
    centre.agents[name] = Agent(name, AgentState.READY, registered=True, memberships=places)


class Textbook:
    """First come first served by `agents` equal servers: M/M/c without an ACD (Kiefer and Wolfowitz 1955)."""

    def __init__(self, agents: int) -> None:
        self.free_at = [0.0] * agents

    def wait(self, call: Call) -> float:
        """How long the call waits; ask in the order of arrival."""
        begins = max(self.free_at[0], call.at)
        heapq.heapreplace(self.free_at, begins + call.talk_s)
        return begins - call.at


def simulate(centre: Centre, calls: Iterator[Call], textbook: Textbook | None = None, guesses: int = 0) -> Outcome:
    """Lives through the calls. The first so many `guesses` of callers who found nobody free are kept."""
    run = _Run(centre, textbook, guesses)
    for call in calls:
        run.until(call.at)
        run.arrive(call)
    run.until(math.inf)
    return run.outcome


@dataclass(slots=True)
class _Run:
    centre: Centre
    textbook: Textbook | None
    guesses: int
    outcome: Outcome = field(default_factory=Outcome)
    events: list[tuple[float, int, str]] = field(default_factory=list)  # (when, number, the agent whose call ends)
    calls: dict[str, tuple[Call, float | None, float | None]] = field(
        default_factory=dict
    )  # textbook and expected wait
    numbers: Iterator[int] = field(default_factory=count)

    def until(self, at: float) -> None:
        """Ends the calls, and the wrap-ups, that end before then."""
        while self.events and self.events[0][0] <= at:
            now, _, agent = heapq.heappop(self.events)
            if agent and self.centre.answered(agent):
                wrapping = self.centre.signal(agent, Event(Signal.OVER), now).wrap_up_until
                if wrapping is not None:
                    self._later(wrapping, "")
            self._tick(now)

    def arrive(self, call: Call) -> None:
        """A caller joins; one who finds nobody free is told what to expect."""
        name = f"c{next(self.numbers)}"
        theirs = self.textbook.wait(call) if self.textbook else None
        self.outcome.last_at = call.at
        self.outcome.talked_s += call.talk_s
        waiting = Waiting(name, call.queue, call.at)
        self.calls[name] = (call, theirs, None)
        self.centre.join(waiting)
        self._tick(call.at)
        if self.guesses and name in self.centre.waiting:
            self.guesses -= 1
            expected = place(self.centre.snapshot(), waiting, call.at).expected_wait_s
            self.calls[name] = (call, theirs, expected)

    def _tick(self, now: float) -> None:
        for decision in self.centre.tick(now):
            call, theirs, expected = self.calls.pop(decision.call_id)
            self.centre.signal(decision.offers[0], Event(Signal.ANSWER), now)
            self._later(now + call.talk_s, decision.offers[0])
            waited = now - call.at
            self.outcome.calls += 1
            self.outcome.waited_s += waited
            self.outcome.within += waited <= 20
            if theirs is not None:
                self.outcome.strayed_s = max(self.outcome.strayed_s, abs(waited - theirs))
            if expected is not None:
                self.outcome.guesses.append((expected, waited))

    def _later(self, at: float, agent: str) -> None:
        heapq.heappush(self.events, (at, next(self.numbers), agent))
