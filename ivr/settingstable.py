"""What every table of config.toml is made of: closed, frozen models, and durations written as text."""

import re
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict

_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h)")
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}


class Table(BaseModel):
    """A table that refuses unknown settings."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=False)


def _duration(value: object) -> object:
    if not isinstance(value, str):
        raise ValueError('write a duration as text, like "400ms", "5s", "10m" or "4h"')
    match = _DURATION.fullmatch(value.strip())
    if match is None:
        raise ValueError(f'{value!r} is not a duration; write "400ms", "5s", "10m" or "4h"')
    return float(match[1]) * _SECONDS[match[2]]


Duration = Annotated[float, BeforeValidator(_duration)]
"""Seconds, written as "400ms", "5s", "10m" or "4h"."""
