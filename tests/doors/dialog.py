"""Requests inside a call, from either end."""

import re

from telephony.edge.message import Response, encode


def within(phone, ok: Response, cseq: int, method: str, *extra: tuple[str, str], body: bytes = b"") -> int:
    """A request inside the dialog with headers and a body; gives back its CSeq."""
    routes = [("Route", value) for value in reversed(ok.all("Record-Route"))]
    uri = re.search("<(.*?)>", ok.get("Contact"))
    assert uri
    phone.ask(
        method, *routes, *extra, call_id=ok.call_id, uri=uri[1], cseq=cseq, to_tag=ok.to_tag, body=body,
    )  # fmt: skip
    return cseq


def answered(status: int, cseq: int):
    """Whether a message is this answer to this request."""
    return lambda m: isinstance(m, Response) and (m.status, m.cseq) == (status, cseq)


def from_worker(worker, method: str) -> bytes:
    """A request inside the dialog from the worker's side."""
    invite = worker.invite
    contact = re.search("<(.*?)>", invite.get("Contact"))
    headers = [
        ("Via", f"SIP/2.0/UDP {worker.address[0]}:{worker.address[1]};branch=z9hG4bKworker{method}"),
        *(("Route", value) for value in invite.all("Record-Route")),
        ("From", f"{invite.get('To')};tag={worker.tag}"),
        ("To", invite.get("From")),
        ("Call-ID", invite.call_id),
        ("CSeq", f"7 {method}"),
        ("Max-Forwards", "70"),
        worker.contact(),
    ]
    return encode(f"{method} {contact[1]} SIP/2.0", headers)
