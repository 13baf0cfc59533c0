"""The matrix of the bridge, with parties that only note who is connected to them."""
# ruff: noqa: N802 - pjsua2 names its methods so

from telephony.bridge import Bridge


class Port:
    """Notes its ears."""

    def __init__(self) -> None:
        self.into: set[str] = set()

    def startTransmit(self, ear: str) -> None:
        self.into.add(ear)

    def stopTransmit(self, ear: str) -> None:
        self.into.discard(ear)


class Party:
    """One with a voice, until it is on hold."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.voice: Port | None = Port()

    def ears(self) -> list[str]:
        return [self.name, f"{self.name}'s tap"]


def test_pairs_are_made_and_undone_and_each_ear_of_a_party_hears() -> None:
    bridge, caller, agent = Bridge(), Party("caller"), Party("agent")
    bridge.connect([(caller, agent), (agent, caller)])
    assert caller.voice is not None
    assert caller.voice.into == {"agent", "agent's tap"}
    bridge.connect([(agent, caller)])
    assert caller.voice.into == set()
    assert agent.voice is not None
    assert agent.voice.into == {"caller", "caller's tap"}


def test_a_leg_that_comes_back_from_hold_is_heard_again_by_those_who_shall() -> None:
    bridge, caller, agent = Bridge(), Party("caller"), Party("agent")
    bridge.connect([(caller, agent)])
    caller.voice = None
    bridge.refresh()
    caller.voice = Port()
    bridge.refresh()
    assert caller.voice.into == {"agent", "agent's tap"}


def test_what_was_undone_during_a_hold_stays_undone_though_the_port_comes_back() -> None:
    bridge, caller, agent = Bridge(), Party("caller"), Party("agent")
    bridge.connect([(caller, agent)])
    kept, caller.voice = caller.voice, None
    bridge.connect([])
    caller.voice = kept
    bridge.refresh()
    assert kept is not None
    assert kept.into == set()
