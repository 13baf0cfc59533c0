"""[queues.NAME] of config.toml, in app_queue's words; `settings_of` makes what the ACD reckons with."""

from collections.abc import Mapping
from itertools import pairwise
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, field_validator

from ivr.acd import empty
from ivr.acd.model import Autopause, Empty, QueueSettings, Relax, Strategy
from ivr.settingstable import Duration, Table


def _rule_of_joining(text: str) -> str:
    empty.joinempty(text)
    return text


def _rule_of_leaving(text: str) -> str:
    empty.leavewhenempty(text)
    return text


class RelaxTable(Table):
    """One step of [queues.NAME] relax."""

    after: Duration
    levels: int = Field(0, ge=0, le=10)
    max_penalty: int | None = Field(None, ge=0)


class QueueTable(Table):
    """[queues.NAME]"""

    strategy: Strategy = Strategy.LONGEST_IDLE
    weight: int = 0
    maxlen: int = Field(0, ge=0)
    servicelevel: Duration = 20.0
    ring_timeout: Duration = Field(15.0, ge=1.0)  # with less, phones would be called and cancelled without end
    retry: Duration = 5.0
    wrapuptime: Duration = 0.0
    ring_progressively_delay: Duration = 10.0
    autofill: bool = True
    autopause: Autopause = Autopause.NO
    autopause_after: int = Field(1, ge=1)
    penaltymemberslimit: int = Field(0, ge=0)
    max_penalty: int | None = Field(None, ge=0)
    ageing: Duration = 0.0
    relax: tuple[RelaxTable, ...] = ()
    joinempty: Annotated[str, AfterValidator(_rule_of_joining)] = "strict"
    leavewhenempty: Annotated[str, AfterValidator(_rule_of_leaving)] = "no"
    announce_position: Literal["yes", "no", "limit", "more"] = "yes"
    announce_holdtime: Literal["yes", "no", "once"] = "no"

    @field_validator("relax")
    @classmethod
    def _in_order(cls, value: tuple[RelaxTable, ...]) -> tuple[RelaxTable, ...]:
        if any(later.after <= earlier.after for earlier, later in pairwise(value)):
            raise ValueError('write the steps in the order of "after", each later than the one before')
        return value

    @property
    def announce(self) -> dict[str, str]:
        """What a waiting caller is told, where the flow does not say."""
        return {"position": self.announce_position, "holdtime": self.announce_holdtime}


def settings_of(queues: Mapping[str, QueueTable]) -> dict[str, QueueSettings]:
    """The queues as the ACD reckons with them."""
    return {name: _settings(name, table) for name, table in queues.items()}


def _settings(name: str, table: QueueTable) -> QueueSettings:
    factors: dict[str, frozenset[Empty]] = {
        "joinempty": empty.joinempty(table.joinempty),
        "leavewhenempty": empty.leavewhenempty(table.leavewhenempty),
    }
    return QueueSettings(
        name,
        strategy=table.strategy,
        weight=table.weight,
        maxlen=table.maxlen,
        servicelevel_s=table.servicelevel,
        ring_timeout_s=table.ring_timeout,
        retry_s=table.retry,
        wrapuptime_s=table.wrapuptime,
        ring_progressively_delay_s=table.ring_progressively_delay,
        autofill=table.autofill,
        autopause=table.autopause,
        autopause_after=table.autopause_after,
        penaltymemberslimit=table.penaltymemberslimit,
        max_penalty=table.max_penalty,
        ageing_s=table.ageing,
        relax=tuple(Relax(step.after, step.levels, step.max_penalty) for step in table.relax),
        **factors,
    )
