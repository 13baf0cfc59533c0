"""What the operations work with."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from ivr.config import Config
from ivr.desk import Desk
from ivr.store.accounts import Accounts


@dataclass(frozen=True, slots=True)
class Parts:
    """The hotline, as far as REST needs it."""

    config: Config
    desk: Desk
    accounts: Accounts


def _parts(request: Request) -> Parts:
    parts: Parts = request.app.state.parts
    return parts


Hotline = Annotated[Parts, Depends(_parts)]
