"""Transfers by the flow: a bridge of ours, or REFER, with what the caller's phone makes of it."""

from collections.abc import Callable

import pytest

from tests.people.conftest import Host, Party

pytestmark = [pytest.mark.net, pytest.mark.timeout(120)]
Call = tuple[Host, Party]


def test_a_bridge_with_keys_whisper_and_the_flow_afterwards(call: Call, party: Callable[..., Party]) -> None:
    host, caller = call
    ben = party("ben")
    host.ask("transfer", to=ben.uri, mode="bridge", dtmf="12,3", whisper=["refused.wav"], timeout_s=10)
    for key in "123":
        ben.until(event="key", key=key)
    ben.hears("signal")
    host.until(news="answered")
    caller.hears("ben")
    ben.hears("caller")
    ben.tell(do="hang_up")
    assert host.until(replied=True)["outcome"] == "ended"
    caller.hears()


@pytest.mark.parametrize(
    ("manner", "outcome"), [("busy", "busy"), ("decline", "refused"), ("ring", "no_answer"), ("gone", "failed")]
)
def test_a_bridge_that_nobody_takes(call: Call, party: Callable[..., Party], manner: str, outcome: str) -> None:
    host, _caller = call
    to = "sip:nobody@" if manner == "gone" else party("ben", manner).uri
    host.ask("transfer", to=to, mode="bridge", timeout_s=1.5)
    assert host.until(replied=False)["outcome"] == outcome


@pytest.mark.parametrize("mode", ["blind", "attended"])
def test_a_phone_that_takes_a_refer_goes_to_the_target_by_itself(
    call: Call, party: Callable[..., Party], mode: str
) -> None:
    host, caller = call
    ben = party("ben")
    caller.tell(do="refer", refer="take")
    host.ask("transfer", to=ben.uri, mode=mode, timeout_s=10)
    assert host.until(replied=True)["outcome"] == "transferred"
    ben.hears("caller")
    caller.hears("ben")
    assert not [line for line in host.lines if line.get("news") == "answered"], "the hotline is not between them"


def test_a_blind_transfer_to_an_agent_is_bridged_for_the_phone_could_not_call_there(
    call: Call, party: Callable[..., Party]
) -> None:
    host, caller = call
    ben = party("ben")
    caller.tell(do="refer", refer="take")
    host.tell(answer={"agent_call": {"refuse": "agent.no_call"}})
    host.ask("transfer", to=ben.uri, mode="blind", timeout_s=10)
    host.until(news="answered")
    caller.hears("ben")
    ben.hears("caller")


@pytest.mark.parametrize("mode", ["blind", "attended"])
def test_a_phone_that_refuses_a_refer_is_bridged(call: Call, party: Callable[..., Party], mode: str) -> None:
    host, caller = call
    ben = party("ben")
    host.ask("transfer", to=ben.uri, mode=mode, timeout_s=10)
    host.until(news="answered")
    caller.hears("ben")
    ben.hears("caller")


def test_a_refer_to_somebody_who_is_busy_comes_back_to_the_flow(call: Call, party: Callable[..., Party]) -> None:
    host, caller = call
    ben = party("ben", "busy")
    caller.tell(do="refer", refer="take")
    host.ask("transfer", to=ben.uri, mode="blind", timeout_s=10)
    assert host.until(replied=False)["outcome"] == "busy"
    assert host.until(kind="transfer.ended")["outcome"] == "busy"
