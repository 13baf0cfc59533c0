"""The table of all step types."""

from typing import get_args

from flows.steps.base import Step
from flows.steps.logic import Branch, Goto, Set
from flows.steps.speech import Confirm, Gather, Hangup, Menu, Say

KINDS: tuple[type[Step], ...] = (Say, Menu, Gather, Confirm, Set, Branch, Goto, Hangup)


def type_name(kind: type[Step]) -> str:
    """What `type = "..."` says for this class."""
    return str(get_args(kind.model_fields["type"].annotation)[0])


BY_TYPE = {type_name(kind): kind for kind in KINDS}
