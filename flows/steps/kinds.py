"""The table of all step types."""

from typing import get_args

from flows.steps.base import Step
from flows.steps.logic import Branch, Call, Goto, Hours, Return, Rule, Set, Split
from flows.steps.outside import Emit, Http, Language, Record, Recording, SendDtmf, Voice, Voicemail, Wait
from flows.steps.people import LATER, Callback, Priority, Queue, Staffing, Transfer
from flows.steps.speech import Confirm, Gather, Hangup, Menu, Say, Survey

KINDS: tuple[type[Step], ...] = (
    *(Say, Menu, Gather, Confirm, Survey, Set, Branch, Rule, Split, Hours, Goto, Call, Return, Hangup),
    *(Http, Record, Voicemail, Recording, SendDtmf, Emit, Wait, Language, Voice),
    *(Queue, Priority, Staffing, Transfer, Callback),
    *LATER,
)


def type_name(kind: type[Step]) -> str:
    """What `type = "..."` says for this class."""
    return str(get_args(kind.model_fields["type"].annotation)[0])


BY_TYPE = {type_name(kind): kind for kind in KINDS}
