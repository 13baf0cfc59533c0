"""What a leg answers to the far end's wishes."""

from types import SimpleNamespace

import pjsua2 as pj

from telephony.leg import Leg


def test_a_far_end_cannot_have_a_leg_call_somebody_by_refer() -> None:
    parameters = pj.OnCallTransferRequestParam()
    parameters.statusCode = 202  # what pjsua2 answers, and acts on, when nobody objects
    Leg.onCallTransferRequest(None, parameters)
    assert parameters.statusCode == 603


def test_a_hook_flash_is_no_key() -> None:
    told = []
    for digit in "5R*%":
        parameters = pj.OnDtmfDigitParam()
        parameters.digit = digit
        Leg.onDtmfDigit(SimpleNamespace(_emit=told.append), parameters)
    assert [event.key for event in told] == ["5", "*"]


def test_keys_reach_a_far_end_that_takes_no_rtp_events() -> None:
    def refuse(_keys: str) -> None:
        error = pj.Error()
        error.status = 220107  # PJMEDIA_RTP_EREMNORFC2833, read off a real call
        raise error

    sent = []
    Leg.send_keys(SimpleNamespace(dialDtmf=refuse, sendDtmf=sent.append), "12#")
    assert [(each.method, each.digits) for each in sent] == [(pj.PJSUA_DTMF_METHOD_SIP_INFO, "12#")]
