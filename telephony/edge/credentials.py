"""Who sends a request: looks at its credentials, asks for them, and gives nobody a hint which user names exist."""

from enum import StrEnum

from telephony.edge.accounts import REALM, Account, Algorithm
from telephony.edge.desk import Desk
from telephony.edge.digest import Answer, challenges, fits, read_answer
from telephony.edge.errors import MalformedError
from telephony.edge.events import Hop
from telephony.edge.message import Request
from telephony.edge.nonces import Freshness

WWW, PROXY = "Authorization", "Proxy-Authorization"
_NOBODY = Account("", "0" * 32, "0" * 64)
_ASKS = {WWW: (401, "WWW-Authenticate"), PROXY: (407, "Proxy-Authenticate")}


class Verdict(StrEnum):
    """What credentials prove. STALE: perhaps right, but for a nonce or count that may not be used any more."""

    GOOD = "good"
    MISSING = "missing"
    STALE = "stale"
    WRONG = "wrong"


def prove(desk: Desk, request: Request, header: str, source: Hop, reply_to: Hop) -> Account | None:
    """The account that the request's credentials prove; None where it was answered with a challenge or silence."""
    answer = _answer(request, header)
    user = answer.user if answer else ""
    if answer and desk.guard.user_banned(user, source.host, desk.now):
        desk.count("banned_user")
        return None
    verdict, account = _judge(desk, answer, request)
    if verdict is Verdict.GOOD and account is not None:
        desk.guard.proved(user, source.host, desk.now)
        return account
    if verdict is Verdict.WRONG:
        desk.count("wrong_credentials")
        desk.guard.failed(user, source.host, desk.now)
    else:
        desk.guard.asked(source.host, desk.now)
    status, name = _ASKS[header]
    values = challenges(desk.nonces.make(desk.now), request.get("User-Agent"), stale=verdict is Verdict.STALE)
    desk.answer(request, reply_to, status, *((name, value) for value in values))
    return None


def has_credentials(request: Request, header: str) -> bool:
    """Whether a request bears credentials for this realm, right or wrong."""
    return _answer(request, header) is not None


def _answer(request: Request, header: str) -> Answer | None:
    """The first credentials for this realm, of an algorithm that was offered where there is one."""
    found: Answer | None = None
    for value in request.all(header):
        try:
            answer = read_answer(value)
        except MalformedError:
            continue
        if answer is not None and answer.realm == REALM:
            if answer.algorithm is not None:
                return answer
            found = found or answer
    return found


def _judge(desk: Desk, answer: Answer | None, request: Request) -> tuple[Verdict, Account | None]:
    """An unknown user costs the same work as a wrong password: it is measured by an account that nobody has."""
    if answer is None:
        return Verdict.MISSING, None
    freshness = desk.nonces.judge(answer.nonce, answer.nc, desk.now)
    account = desk.accounts.get(answer.user, _NOBODY)
    right = fits(answer, account.ha1(answer.algorithm or Algorithm.SHA256), request.method, request.uri)
    if freshness is not Freshness.FRESH:
        return Verdict.STALE, None
    if not right or account is _NOBODY:
        return Verdict.WRONG, None
    desk.nonces.use(answer.nonce, answer.nc, desk.now)
    return Verdict.GOOD, account


def stripped(request: Request) -> None:
    """Takes out the door's own credentials before a request goes on."""
    request.headers = tuple(
        (name, value) for name, value in request.headers if not (name in (WWW, PROXY) and _is_ours(value))
    )


def _is_ours(value: str) -> bool:
    try:
        answer = read_answer(value)
    except MalformedError:
        return True
    return answer is not None and answer.realm == REALM
