"""A core on a bench: a fake clock, what it sent, and the messages of a caller and a worker."""

import heapq
from itertools import count

from telephony.edge.accounts import REALM, Account, Algorithm, Role, digest_of
from telephony.edge.core import Core
from telephony.edge.desk import Place
from telephony.edge.digest import read_pairs, response
from telephony.edge.events import (
    AccountsAre,
    CallOut,
    CallsOut,
    Fired,
    Hop,
    Received,
    Registered,
    Send,
    Wake,
    WorkerSaid,
)
from telephony.edge.message import Request, Response, encode
from telephony.edge.settings import EdgeSettings
from telephony.edge.strict import read

PLACE = Place("192.0.2.10", "127.0.0.1", 5060)
CALLER = Hop("UDP", "198.51.100.7", 40000)
TCP_CALLER = Hop("TCP", "198.51.100.7", 41000)
STRANGER = Hop("UDP", "203.0.113.66", 5060)

# What the door says first to each message of RFC 4475; 100 stands for a valid call, given to a worker.
DOOR_SAYS = {
    "wsinv": 481, "intmeth": 501, "esc01": 100, "escnull": 405, "esc02": 501, "lwsdisp": 200, "longreq": 100,
    "dblreq": 405, "semiuri": 200, "transports": 200, "mpart01": 405, "badbranch": 200, "bext01": 420, "invut": 100,
    "regaut01": 405, "zeromf": 483, "cparam01": 405, "cparam02": 405, "regescrt": 405, "sdp01": 100, "inv2543": 100,
    "baddate": 100, "unksm2": 405,
    "badinv01": 400, "clerr": 400, "ncl": 400, "scalar02": 400, "quotbal": 400, "ltgtruri": 400, "lwsruri": 400,
    "lwsstart": 400, "trws": 400, "escruri": 400, "regbadct": 400, "badaspec": 400, "baddn": 400, "badvers": 505,
    "mismatch01": 400, "mismatch02": 501, "insuf": 400, "unkscm": 416, "novelsc": 416, "multi01": 400, "mcl01": 400,
    "unreason": None, "noreason": None, "bcast": None, "bigcode": None, "scalarlg": None,
}  # fmt: skip


def worker_hop(pid: int) -> Hop:
    return Hop("UDP", "127.0.0.1", 45000 + pid)


class Bench:
    """A core, its clock and what it has sent and not been asked about yet."""

    def __init__(
        self, max_calls: int = 10, secret: bytes = b"s" * 32, place: Place = PLACE, **settings: object
    ) -> None:
        self.core = Core(place, secret, max_calls, 3600, EdgeSettings(**settings))  # type: ignore[arg-type]
        self.told: list[Registered] = []
        self.calls_out: tuple[CallOut, ...] = ()
        self.now = 100.0
        self.sent: list[tuple[Hop, Request | Response]] = []
        self.timers: list[tuple[float, int, int]] = []
        self.order = count()

    def give(self, event) -> None:
        for action in self.core.step(event, self.now):
            match action:
                case Send(data, to):
                    message = read(data)
                    assert isinstance(message, Request | Response), (message, data)
                    self.sent.append((to, message))
                case Registered():
                    self.told.append(action)
                case CallsOut():
                    self.calls_out = action.calls
                case Wake(timer, after_s):
                    heapq.heappush(self.timers, (self.now + after_s, next(self.order), timer))

    def worker(self, pid: int, idle: bool = True) -> None:
        self.give(WorkerSaid(pid, pid, worker_hop(pid), idle))

    def bytes(self, data: bytes, source: Hop = CALLER) -> None:
        self.give(Received(read(data), source))

    def wait(self, seconds: float) -> None:
        end = self.now + seconds
        while self.timers and self.timers[0][0] <= end:
            self.now, _, timer = heapq.heappop(self.timers)
            self.give(Fired(timer))
        self.now = end

    def take(self, to: Hop | None = None) -> list[str]:
        """What was sent since the last time, in short; the whole of it stays in `last`."""
        taken = [(hop, message) for hop, message in self.sent if to in (None, hop)]
        self.sent = []
        self.last = [message for _, message in taken]
        return [m.method if isinstance(m, Request) else f"{m.status} {m.cseq_method}" for m in self.last]

    def counters(self) -> dict[str, int]:
        counters = self.core.status()["counters"]
        assert isinstance(counters, dict)
        return counters

    def small(self) -> bool:
        """Whether nothing is remembered any more."""
        status = self.core.status()
        return all(status[name] == 0 for name in ("calls", "relays", "dialogs", "held", "transactions", "timers"))

    def accounts(self, *accounts: Account) -> None:
        self.give(AccountsAre({account.user: account for account in accounts}))

    def register(self, user: str, source: Hop, *extra: tuple[str, str], contact: str = "", **more: object) -> None:
        """Registers a phone with the right password, however often it is asked; leaves the outcome in `last`."""
        contact = contact or f"<sip:{user}@{source.host}:{source.port}>"
        answer_challenge(self, "REGISTER", user, source, ("Contact", contact), *extra, **more)

    def phone(self, user: str, number: int = 1) -> Hop:
        """A registered phone's address."""
        hop = Hop("UDP", f"203.0.113.{number}", 5060)
        self.register(user, hop)
        assert self.last[-1].status == 200, self.last
        return hop


def invite(name: str = "a", transport: str = "UDP", *extra: tuple[str, str], method: str = "INVITE") -> bytes:
    headers = [
        ("Via", f"SIP/2.0/{transport} 198.51.100.7:40000;branch=z9hG4bK{name};rport"),
        ("From", "<sip:caller@example.com>;tag=caller"),
        ("To", "<sip:hotline@example.com>"),
        ("Call-ID", name),
        ("CSeq", f"1 {method}"),
        ("Max-Forwards", "70"),
        ("Contact", "<sip:caller@10.0.0.5:5060>"),
        *extra,
    ]
    return encode(f"{method} sip:hotline@192.0.2.10 SIP/2.0", headers, b"v=0\r\n")


def answer(request: Request, status: int, tag: str = "w", **extra: str) -> bytes:
    headers = [(n, v) for n, v in request.headers if n in ("Via", "From", "To", "Call-ID", "CSeq", "Record-Route")]
    headers = [(n, v + f";tag={tag}" if n == "To" and "tag" not in v and status > 100 else v) for n, v in headers]
    headers += [("Contact", "<sip:hotline@127.0.0.1:45001>"), *extra.items()]
    return encode(f"SIP/2.0 {status} Whatever", headers)


def answered(bench: Bench, name: str = "a", source: Hop = CALLER) -> Response:
    """Takes a call as far as 200 and gives the 200 that the caller got."""
    bench.bytes(invite(name, source.transport), source)
    bench.take(worker_hop(1))
    bench.bytes(answer(bench.last[0], 200), worker_hop(1))
    bench.take(source)
    ok = bench.last[-1]
    assert isinstance(ok, Response)
    assert ok.status == 200
    return ok


def inside(
    ok: Response, method: str, cseq: int = 2, from_worker: bool = False, routes: list[str] | None = None
) -> bytes:
    recorded = ok.all("Record-Route")
    routes = routes if routes is not None else recorded if from_worker else recorded[::-1]
    near, far = (ok.get("To"), ok.get("From")) if from_worker else (ok.get("From"), ok.get("To"))
    uri = "sip:caller@10.0.0.5:5060" if from_worker else "sip:hotline@127.0.0.1:45001"
    headers = [("Via", f"SIP/2.0/UDP 127.0.0.1:45001;branch=z9hG4bK{method}{cseq}{from_worker}")]
    headers += [("Route", route) for route in routes]
    headers += [("From", near), ("To", far), ("Call-ID", ok.call_id), ("CSeq", f"{cseq} {method}")]
    return encode(f"{method} {uri} SIP/2.0", headers)


_numbers = count(1)
PASSWORD = "correct horse"


def account_of(user: str, password: str = PASSWORD, role: Role = Role.AGENT) -> Account:
    md5, sha256 = (digest_of(kind, user, REALM, password) for kind in (Algorithm.MD5, Algorithm.SHA256))
    return Account(user, md5, sha256, role)


def request(
    method: str, user: str, source: Hop, *extra: tuple[str, str], to: str = "", cseq: int = 1, name: str = ""
) -> bytes:
    """A request of a phone of this house; `to` is whom it calls."""
    number = next(_numbers)
    target = f"sip:{to}@192.0.2.10" if to else "sip:192.0.2.10"
    headers = [
        ("Via", f"SIP/2.0/{source.transport} {source.host}:{source.port};branch=z9hG4bKr{number};rport"),
        ("From", f"<sip:{user}@192.0.2.10>;tag=f{user}"),
        ("To", f"<sip:{to or user}@192.0.2.10>"),
        ("Call-ID", name or f"call{number}"),
        ("CSeq", f"{cseq} {method}"),
        ("Max-Forwards", "70"),
        *extra,
    ]
    if not any(header == "Contact" for header, _ in extra):
        headers.append(("Contact", f"<sip:{user}@{source.host}:{source.port}>"))
    return encode(f"{method} {target} SIP/2.0", headers)


def credentials(
    asked: Response, method: str, user: str, password: str = PASSWORD, to: str = "", nc: int = 1, which: int = 0
) -> tuple[str, str]:
    """An answer to a challenge as a phone makes it; `which` of the offers it takes."""
    proxy = asked.status == 407
    pairs = read_pairs(asked.all("Proxy-Authenticate" if proxy else "WWW-Authenticate")[which])
    assert pairs is not None
    kind = Algorithm(pairs["algorithm"])
    uri = f"sip:{to}@192.0.2.10" if to else "sip:192.0.2.10"
    ha1 = digest_of(kind, user, pairs["realm"], password)
    proof = response(kind, ha1, method, uri, pairs["nonce"], f"{nc:08x}", "cafe")
    value = (
        f'Digest username="{user}", realm="{pairs["realm"]}", nonce="{pairs["nonce"]}", uri="{uri}", '
        f'response="{proof}", algorithm={kind}, cnonce="cafe", qop=auth, nc={nc:08x}'
    )
    return ("Proxy-Authorization" if proxy else "Authorization"), value


def answer_challenge(
    bench: Bench, method: str, user: str, source: Hop, *extra: tuple[str, str],
    to: str = "", cseq: int = 1, name: str = "", password: str = PASSWORD,
) -> None:  # fmt: skip
    """Sends a request and, when challenged, sends it again with credentials."""
    name = name or f"call{next(_numbers)}"
    bench.sent = []
    bench.bytes(request(method, user, source, *extra, to=to, cseq=cseq, name=name), source)
    bench.take(source)
    if bench.last and bench.last[0].status in (401, 407):
        proof = credentials(bench.last[0], method, user, password, to)
        bench.bytes(request(method, user, source, proof, *extra, to=to, cseq=cseq + 1, name=name), source)
        kept = bench.sent
        bench.take(source)
        bench.sent = [(hop, message) for hop, message in kept if hop != source]


def say(bench: Bench, asked: Request, status: int, phone: Hop, tag: str = "phone", *extra: tuple[str, str]) -> None:
    """A phone's answer."""
    headers = [(n, v) for n, v in asked.headers if n in ("Via", "From", "To", "Call-ID", "CSeq", "Record-Route")]
    headers = [(n, f"{v};tag={tag}" if n == "To" and status > 100 else v) for n, v in headers]
    headers = [*extra, *headers, ("Contact", f"<sip:anna@{phone.host}:{phone.port}>")]
    bench.bytes(encode(f"SIP/2.0 {status} So", headers), phone)


def in_dialog(ok: Response, method: str, cseq: int, *, callee: bool = False) -> bytes:
    """A request of either end of an answered dialog, from what the caller's 200 said."""
    routes = ok.all("Record-Route")
    near, far = (ok.get("To"), ok.get("From")) if callee else (ok.get("From"), ok.get("To"))
    headers = [("Via", f"SIP/2.0/UDP 192.0.2.200;branch=z9hG4bK{method}{cseq}{callee}")]
    headers += [("Route", route) for route in (routes if callee else routes[::-1])]
    headers += [("From", near), ("To", far), ("Call-ID", ok.call_id), ("CSeq", f"{cseq} {method}")]
    return encode(f"{method} sip:x@192.0.2.201 SIP/2.0", headers)
