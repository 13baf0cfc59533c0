"""A phone that belongs to an account: registers, proves who it is, calls and is called."""

from itertools import count

from telephony.edge.accounts import Algorithm, digest_of
from telephony.edge.digest import read_pairs, response
from telephony.edge.message import Request, Response, encode
from tests.telephony.edge.conftest import Phone, reply
from tests.telephony.edge.corebench import PASSWORD

_numbers = count(1)


class AccountPhone(Phone):
    """A phone of `user`. Answers an INVITE as `answers` says, by itself; `behind` a NAT, its Contact leads nowhere."""

    def __init__(
        self,
        door: tuple[str, int],
        user: str,
        password: str = PASSWORD,
        answers: tuple[int, ...] = (180, 200),
        behind: str = "",
    ):
        super().__init__(door)
        self.user, self.password, self.answers, self.behind = user, password, answers, behind
        self.call_id = f"reg{next(_numbers)}@test"
        self.cseq = 0
        self.count = 0

    def heard(self, message: Request | Response, addr: tuple[str, int]) -> None:
        if isinstance(message, Request) and message.method == "INVITE" and not message.to_tag:
            for status in self.answers:
                self.send(reply(message, status, self.contact(), tag=self.tag), addr)
            return
        if isinstance(message, Request) and message.method == "CANCEL":
            asked = next(m for m in self.seen if isinstance(m, Request) and m.method == "INVITE")
            self.send(reply(asked, 487, tag=self.tag), addr)
        super().heard(message, addr)

    @property
    def tag(self) -> str:
        return f"tag-{self.user}-{self.address[1]}"

    def contact(self) -> tuple[str, str]:
        return "Contact", f"<sip:{self.user}@{self.behind or f'{self.address[0]}:{self.address[1]}'}>"

    def make(self, method: str, *extra: tuple[str, str], to: str = "", call_id: str = "", sender: str = "") -> bytes:
        """A request of this account; `to` is whom it calls."""
        self.cseq += 1
        host, port = self.address
        uri = self.uri(to)
        headers = [
            ("Via", f"SIP/2.0/UDP {host}:{port};branch=z9hG4bKaccount{next(_numbers)};rport"),
            ("From", f"<sip:{sender or self.user}@{self.door[0]}>;tag={self.tag}"),
            ("To", f"<sip:{to or self.user}@{self.door[0]}>"),
            ("Call-ID", call_id or self.call_id), ("CSeq", f"{self.cseq} {method}"), ("Max-Forwards", "70"), *extra,
        ]  # fmt: skip
        return encode(f"{method} {uri} SIP/2.0", headers)

    def uri(self, to: str = "") -> str:
        at = f"{self.door[0]}:{self.door[1]}"
        return f"sip:{to}@{at}" if to else f"sip:{at}"

    def proof(self, asked: Response, method: str, to: str = "", nc: int = 0, user: str = "") -> tuple[str, str]:
        """Credentials for the challenge, MD5; each with a new count."""
        proxy = asked.status == 407
        offers = map(read_pairs, asked.all("Proxy-Authenticate" if proxy else "WWW-Authenticate"))
        pairs = next(offer for offer in offers if offer and offer.get("algorithm", "MD5") == "MD5")
        self.count = nc or self.count + 1
        user, uri, nonce = user or self.user, self.uri(to), pairs["nonce"]
        ha1 = digest_of(Algorithm.MD5, user, pairs["realm"], self.password)
        proof = response(Algorithm.MD5, ha1, method, uri, nonce, f"{self.count:08x}", "cafe")
        value = (
            f'Digest username="{user}", realm="{pairs["realm"]}", nonce="{nonce}", uri="{uri}", response="{proof}", '
            f'algorithm=MD5, cnonce="cafe", qop=auth, nc={self.count:08x}'
        )
        return ("Proxy-Authorization" if proxy else "Authorization"), value

    async def answer_to(self, data: bytes) -> Response:
        """Sends a request and waits for its final answer."""
        cseq = self.cseq
        self.send(data, self.door)
        found = await self.wait(lambda m: isinstance(m, Response) and m.cseq == cseq and m.status >= 200)
        assert isinstance(found, Response)
        return found

    async def register(self, *extra: tuple[str, str], expires: int = 600, contact: str = "") -> Response:
        """Registers, with a proof when asked for one; gives the last answer."""
        named = [("Contact", contact or self.contact()[1]), ("Expires", str(expires)), *extra]
        self.count = 0
        asked = await self.answer_to(self.make("REGISTER", *named))
        if asked.status != 401:
            return asked
        return await self.answer_to(self.make("REGISTER", self.proof(asked, "REGISTER"), *named))

    async def call(self, to: str, *extra: tuple[str, str]) -> tuple[str, Response]:
        """Calls somebody, with a proof when asked for one; gives the Call-ID and the final answer."""
        call_id, self.count = f"talk{next(_numbers)}@test", 0
        answer = await self.answer_to(self.make("INVITE", self.contact(), *extra, to=to, call_id=call_id))
        if answer.status != 407:
            return call_id, answer
        proof = self.proof(answer, "INVITE", to)
        return call_id, await self.answer_to(self.make("INVITE", proof, self.contact(), *extra, to=to, call_id=call_id))
