"""The core against phones, workers and trunks that do anything in any order: nothing raises, nothing is left behind."""

import ipaddress

from hypothesis import given, settings
from hypothesis import strategies as st

from telephony.edge.dialplan import DialPlan, Rule, Trunk
from telephony.edge.events import AccountsAre, Closed, Hop, TrunkAt, WorkerGone
from telephony.edge.message import Request, Response
from tests.telephony.edge.corebench import (
    Bench,
    account_of,
    answer_challenge,
    in_dialog,
    request,
    say,
    worker_hop,
)

PLAN = DialPlan(
    (Trunk("t", (ipaddress.IPv4Network("198.51.100.0/24"),), "t.example", user="me", password="pw"),),
    (Rule("r", "0", trunk="t", who=frozenset(("workers", "agents")), price=1.0, daily_cost=3.0, max_duration_s=90.0),),
)
PHONES = {"anna": Hop("UDP", "203.0.113.1", 5060), "bert": Hop("TCP", "203.0.113.2", 40000)}
CARRIER = Hop("UDP", "198.51.100.9", 5060)
OK = (200, "INVITE")
CHALLENGE = ("WWW-Authenticate", 'Digest realm="c", nonce="n", algorithm=MD5, qop="auth"')

MOVES = st.lists(
    st.one_of(
        st.tuples(st.just("wait"), st.sampled_from([0.05, 1.0, 7.0, 61.0])),
        st.tuples(st.just("register"), st.sampled_from(sorted(PHONES))),
        st.tuples(st.just("dial"), st.sampled_from(["anna", "bert", "0123", "nobody"])),
        st.tuples(st.just("phone"), st.sampled_from(["anna", "bert", "0123", "*41"])),
        st.tuples(st.just("cancel"), st.sampled_from(["anna", "0123"])),
        st.tuples(
            st.just("say"), st.sampled_from([100, 180, 183, 200, 200, 200, 200, 302, 401, 401, 486, 487, 503, 603])
        ),
        st.tuples(st.just("inside"), st.sampled_from(["ACK", "BYE", "INVITE", "REFER", "NOTIFY"])),
        st.tuples(st.just("back"), st.sampled_from(["BYE", "INVITE", "INFO"])),
        st.tuples(st.just("gone"), st.just("")),
        st.tuples(st.just("closed"), st.sampled_from(sorted(PHONES))),
        st.tuples(st.just("accounts"), st.booleans()),
    ),
    min_size=5,
    max_size=40,
)


@settings(max_examples=200, deadline=None)
@given(MOVES)
def test_no_order_of_events_raises_or_leaves_anything_behind(moves: list) -> None:
    bench = Bench(max_calls=3, plan=PLAN)
    both = {user: account_of(user) for user in PHONES}
    bench.give(AccountsAre(both))
    bench.give(TrunkAt("t", CARRIER.host))
    bench.worker(1)
    asked: list[tuple[Hop, Request]] = []
    oks: list[Response] = []
    for number, (kind, value) in enumerate(moves):
        bench.sent = []
        match kind:
            case "wait":
                bench.wait(value)
            case "register":
                bench.register(value, PHONES[value])
            case "dial":
                bench.bytes(request("INVITE", "hotline", worker_hop(1), to=value, name=f"d{value}"), worker_hop(1))
            case "phone":
                answer_challenge(bench, "INVITE", "anna", PHONES["anna"], to=value, name=f"p{number}")
            case "cancel" if asked:
                bench.bytes(request("CANCEL", "hotline", worker_hop(1), to=value, name=f"d{value}"), worker_hop(1))
            case "say" if asked:
                hop, message = asked[-1]
                say(bench, message, value, hop, "phone", *((CHALLENGE,) if value == 401 else ()))
            case "inside" if oks:
                bench.bytes(in_dialog(oks[-1], value, 2 + number), worker_hop(1))
            case "back" if oks:
                bench.bytes(in_dialog(oks[-1], value, 2 + number, callee=True), asked[-1][0])
            case "gone":
                bench.give(WorkerGone(1))
                bench.worker(1)
            case "closed":
                bench.give(Closed(PHONES[value]))
            case "accounts":
                bench.give(AccountsAre(both if value else {}))
        messages = [(hop, one) for hop, one in bench.sent if getattr(one, "method", "") not in ("ACK", "CANCEL")]
        asked += [(hop, one) for hop, one in messages if isinstance(one, Request)]
        oks += [one for _, one in messages if isinstance(one, Response) and (one.status, one.cseq_method) == OK]
    bench.give(WorkerGone(1))
    bench.give(AccountsAre({}))
    bench.wait(4000)
    bench.give(Closed(CARRIER))  # tells the core what time it is
    assert bench.core.status()["contacts"] == 0
    bench.core._desk.no_more_relays()
    bench.core._desk.full()
    assert bench.small(), bench.core.status()
