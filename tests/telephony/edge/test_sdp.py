"""SRTP keys leave the house only by TLS."""

from telephony.edge.accounts import Account
from telephony.edge.events import Hop
from telephony.edge.message import Request, encode
from telephony.edge.sdp import without_keys
from tests.telephony.edge.corebench import Bench, account_of, request, worker_hop

OFFER = b"v=0\r\nm=audio 30000 RTP/%s 8\r\na=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:abc\r\na=sendrecv\r\n"


def test_keys_are_taken_out_of_plain_offers_and_left_in_those_that_insist() -> None:
    assert without_keys(OFFER % b"AVP") == b"v=0\r\nm=audio 30000 RTP/AVP 8\r\na=sendrecv\r\n"
    assert without_keys(OFFER % b"SAVP") == OFFER % b"SAVP"
    assert without_keys(b"") == b""


def test_a_phone_is_offered_keys_by_tls_only() -> None:
    anna: Account = account_of("anna")
    for transport, offered in (("UDP", False), ("TLS", True)):
        bench = Bench()
        bench.accounts(anna)
        bench.worker(1)
        hop = Hop(transport, "203.0.113.1", 40000)
        bench.register("anna", hop, contact=f"<sip:anna@10.0.0.1:5060;transport={transport.lower()}>")
        data = request("INVITE", "hotline", worker_hop(1), to="anna")
        head = data.partition(b"\r\nContent-Length")[0].decode()
        first, *lines = head.split("\r\n")
        headers = [tuple(line.split(": ", 1)) for line in lines]
        bench.sent = []
        bench.bytes(encode(first, headers, OFFER % b"AVP"), worker_hop(1))  # type: ignore[arg-type]
        (asked,) = [message for to, message in bench.sent if to == hop]
        assert isinstance(asked, Request)
        assert (b"a=crypto" in asked.body) is offered
        assert asked.via.transport == transport
