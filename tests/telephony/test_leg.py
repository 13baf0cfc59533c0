"""What a leg answers to the far end's wishes."""

import pjsua2 as pj

from telephony.leg import Leg


def test_a_far_end_cannot_have_a_leg_call_somebody_by_refer() -> None:
    parameters = pj.OnCallTransferRequestParam()
    parameters.statusCode = 202  # what pjsua2 answers, and acts on, when nobody objects
    Leg.onCallTransferRequest(None, parameters)
    assert parameters.statusCode == 603
