"""Who is shown to whom when the hotline calls somebody."""

from concurrent.futures import Future
from typing import Any

import pytest

from ivr.callparts import CallParts
from ivr.outleg import Outcome, OutLeg
from telephony.errors import DialError
from telephony.stack import StackSettings


class NoWay:
    """A stack that notes what is dialled, and fails."""

    def __init__(self, public: str) -> None:
        self.settings = StackSettings(public=public, user="hotline")
        self.dialled: list[tuple[str, str]] = []

    def dial(self, uri: str, _emit: object, _headers: object, caller: str) -> "Future[Any]":
        self.dialled.append((uri, caller))
        failed: Future[Any] = Future()
        failed.set_exception(DialError("no"))
        return failed


@pytest.mark.parametrize(
    ("public", "caller", "shown"),
    [
        ("192.0.2.7", "+4930123", '"+4930123" <sip:+4930123@192.0.2.7:5060>'),
        ("192.0.2.7", "", "<sip:hotline@192.0.2.7:5060>"),
        ("", "+4930123", '"+4930123" <sip:+4930123@127.0.0.1:5060>'),
    ],
)
async def test_an_agent_and_a_carrier_see_an_address_that_leads_back_to_the_hotline(
    public: str, caller: str, shown: str
) -> None:
    stack = NoWay(public)
    nothing: dict[str, Any] = dict.fromkeys(CallParts.__slots__)
    parts = CallParts(**{**nothing, "caller": caller, "door": "127.0.0.1:5060", "stack": stack})
    leg = OutLeg(parts, "anna", {}, "agent-1")
    assert await leg.ring(5.0) is Outcome.UNREACHABLE
    assert stack.dialled == [("sip:anna@127.0.0.1:5060", shown)]
