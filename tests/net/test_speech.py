"""Human speech through the whole path: spoken digits become an account, its balance is said."""

import numpy as np
import pytest

from tests.net import sound
from tests.net.phones import Says, keys, packets, quiet

pytestmark = [pytest.mark.net, pytest.mark.timeout(180)]
BALANCES = {"2468": "86", "4711": "19", "1234": "1250", "5500": "23000"}
NAMES = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]


def test_account_numbers_of_human_callers_are_understood(shared_hotline, phones):
    calls = {}
    for number in BALANCES:
        spoken = [sound.clips(NAMES[int(digit)])[0] for digit in number]
        calls[number] = phones.call(
            "bank-en", Says([*quiet(1.0), *keys("1"), *quiet(1.2), *packets(sound.joined(spoken))])
        )
    phones.until(
        lambda: all(
            (live := shared_hotline.live_call(call.call_id)) and "balance of account" in live.said
            for call in calls.values()
        ),
        60,
    )
    for call in calls.values():
        call.hang_up()
    phones.at_end(list(calls.values()))
    for number, call in calls.items():
        one = phones.until(lambda call=call: shared_hotline.calls(call.call_id))[0]
        heard = [text.split() for text in one.heard]
        assert [NAMES[int(digit)] for digit in number] in heard, (number, one.heard)
        assert {"name": "account", "value": number} in one.data("variable")
        assert BALANCES[number] in one.said
        assert one.termination == "caller_hangup"
        said = np.concatenate([sound.clips(NAMES[int(number[0])])[0]])
        _, fit = sound.place_of(said, one.audio[:, 0])
        assert fit > 0.9
