"""Who may come in: tokens, roles, and few guesses."""

from collections import OrderedDict, deque
from collections.abc import Callable
from typing import Annotated, Any

from fastapi import Depends, Request
from fastapi.security import HTTPBearer

from ivr.rest.problems import ProblemError
from ivr.store.tokens import Tokens
from ivr.tokens import ApiRole, Token, digest

MOST_WRONG = 10
WITHIN_S = 60.0
_ADDRESSES = 1000
_KNOWN = 1000


class Failures:
    """Wrong tokens of each address: after ten in a minute it has to wait. Pure."""

    def __init__(self) -> None:
        self._times: OrderedDict[str, deque[float]] = OrderedDict()

    def note(self, address: str, now: float) -> None:
        """One more wrong token."""
        self._times.setdefault(address, deque(maxlen=MOST_WRONG)).append(now)
        self._times.move_to_end(address)
        while len(self._times) > _ADDRESSES:
            self._times.popitem(last=False)

    def wait_s(self, address: str, now: float) -> float:
        """For how long the address may not try."""
        times = self._times.get(address)
        if times is None or len(times) < MOST_WRONG:
            return 0.0
        return max(times[0] + WITHIN_S - now, 0.0)


class Guard:
    """Finds the token of a request. An address that guesses has to wait, except with tokens that were right before:
    behind a web server everybody has its address. `clock` gives seconds.
    """

    def __init__(self, tokens: Tokens, clock: Callable[[], float]) -> None:
        self._tokens = tokens
        self._clock = clock
        self._failures = Failures()
        self._known: OrderedDict[str, None] = OrderedDict()

    async def token(self, authorization: str, address: str) -> Token:
        """The token in an Authorization header. Raises ProblemError 401 and 429, StoreError."""
        scheme, _, secret = authorization.partition(" ")
        if scheme.lower() != "bearer" or not secret.strip():
            raise _unauthorized("this needs a token: Authorization: Bearer TOKEN (`ivr token add` makes one)", "")
        key = digest(secret.strip())
        wait_s = self._failures.wait_s(address, self._clock())
        if wait_s and key not in self._known:
            headers = {"Retry-After": str(int(wait_s) + 1)}
            raise ProblemError(429, "token.too_many", f"too many wrong tokens: wait {wait_s:.0f} s", headers)
        found = await self._tokens.find(key)
        if found is None:
            self._known.pop(key, None)
            self._failures.note(address, self._clock())
            raise _unauthorized("this token is unknown, or was revoked", ', error="invalid_token"')
        self._known[key] = None
        self._known.move_to_end(key)
        while len(self._known) > _KNOWN:
            self._known.popitem(last=False)
        return found


def _unauthorized(detail: str, more: str) -> ProblemError:
    return ProblemError(401, "token.wrong", detail, {"WWW-Authenticate": f'Bearer realm="hotline"{more}'})


_in_openapi = HTTPBearer(auto_error=False, scheme_name="token", description="from `ivr token add NAME --role ROLE`")


def needs(role: ApiRole) -> Any:  # noqa: ANN401 - FastAPI's
    """Depends on a token of at least this role. Raises ProblemError 403."""

    def check(request: Request, _shown: Annotated[object, Depends(_in_openapi)]) -> Token:
        token: Token = request.state.token
        if not token.role.may(role):
            raise ProblemError(403, "token.role", f"this needs a token of the role {role}, not {token.role}")
        return token

    return Depends(check)


Agent = Annotated[Token, needs(ApiRole.AGENT)]
Supervisor = Annotated[Token, needs(ApiRole.SUPERVISOR)]
Admin = Annotated[Token, needs(ApiRole.ADMIN)]


def who(token: Token) -> str:
    """Who did something, for the record."""
    return token.agent if token.agent is not None else f"token {token.name}"
