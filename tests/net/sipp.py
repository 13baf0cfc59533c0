"""SIPp (a stranger's SIP stack) as a caller: scenarios put together from steps, run as a process."""

import itertools
import subprocess
from pathlib import Path

_OFFER = """
    v=0
    o=sipp 1 {version} IN IP4 [local_ip]
    s=-
    c=IN IP4 [media_ip]
    t=0 0
    m=audio [media_port] RTP/AVP {codecs}
    {mappings}
    a={direction}
"""
_USUAL = ("8 101", "a=rtpmap:8 PCMA/8000\n    a=rtpmap:101 telephone-event/8000\n    a=fmtp:101 0-15")
_numbers = itertools.count(1)


class Scenario:
    """What SIPp does, step after step; `call_id` is the beginning of its calls' Call-ID."""

    def __init__(self, line: str = "quick") -> None:
        self.call_id = f"sipp-{next(_numbers)}"
        self._line = line
        self._cseq = 1
        self._version = 0
        self._branch = 0
        self._invite_branch = ""
        self._steps: list[str] = []

    def invite(self, codecs: str = _USUAL[0], mappings: str = _USUAL[1]) -> "Scenario":
        return self._send("INVITE", self._offer("sendrecv", codecs, mappings), dialog=False)

    def answered(self) -> "Scenario":
        """Waits for the 200 and learns the route."""
        for status in (100, 180, 183):
            self._add(f'<recv response="{status}" optional="true"/>')
        return self._add('<recv response="200" rrs="true"/>')

    def ack(self) -> "Scenario":
        return self._send("ACK", retrans=False)

    def refused(self, status: int) -> "Scenario":
        """Waits for a final refusal of the INVITE and acknowledges it."""
        self._add('<recv response="100" optional="true"/>')
        self._add(f'<recv response="{status}"/>')
        return self._send("ACK", retrans=False, dialog=False, to="[last_To:]", branch=self._invite_branch)

    def reinvite(self, direction: str) -> "Scenario":
        """A new offer: "sendonly" holds, "sendrecv" takes back (RFC 3264 section 8.4)."""
        self._cseq += 1
        self._send("INVITE", self._offer(direction, *_USUAL))
        return self.answered().ack()

    def info(self, key: str) -> "Scenario":
        """A key in a SIP INFO of type application/dtmf-relay."""
        self._cseq += 1
        self._send("INFO", f"Signal={key}\n    Duration=160", "application/dtmf-relay")
        return self._add('<recv response="200"/>')

    def cancel(self) -> "Scenario":
        """CANCEL at once after 100; the call must be refused with 487."""
        self._add('<recv response="100"/>')
        self._send("CANCEL", dialog=False, branch=self._invite_branch)
        self._add('<recv response="200"/>').refused(487)
        return self

    def play(self, pcap: Path) -> "Scenario":
        """Plays packets, beside the following steps."""
        return self._add(f'<nop><action><exec play_pcap_audio="{pcap}"/></action></nop>')

    def pause(self, milliseconds: int) -> "Scenario":
        return self._add(f'<pause milliseconds="{milliseconds}"/>')

    def bye(self, extra: str = "") -> "Scenario":
        """`extra` is a header line more."""
        self._cseq += 1
        return self._send("BYE", extra=extra)._add('<recv response="200"/>')

    def far_bye(self) -> "Scenario":
        """Waits until the hotline hangs up."""
        self._add('<recv request="BYE"/>')
        return self._add(
            "<send><![CDATA[\n    SIP/2.0 200 OK\n    [last_Via:]\n    [last_From:]\n    [last_To:]\n"
            "    [last_Call-ID:]\n    [last_CSeq:]\n    Content-Length: 0\n\n  ]]></send>"
        )

    def xml(self) -> str:
        return "\n".join(
            ['<?xml version="1.0" encoding="UTF-8"?>', '<scenario name="test">', *self._steps, "</scenario>"]
        )

    def _add(self, step: str) -> "Scenario":
        self._steps.append(f"  {step}")
        return self

    def _offer(self, direction: str, codecs: str, mappings: str) -> str:
        self._version += 1
        return _OFFER.format(version=self._version, codecs=codecs, mappings=mappings, direction=direction).strip()

    def _send(
        self, method: str, body: str = "", kind: str = "application/sdp", *,
        dialog: bool = True, retrans: bool = True, to: str = "", branch: str = "", extra: str = "",
    ) -> "Scenario":  # fmt: skip
        self._branch += 0 if branch else 1
        branch = branch or f"z9hG4bK[call_id]-{self._branch}"
        if method == "INVITE":
            self._invite_branch = branch
        peer = f"<sip:{self._line}@[remote_ip]:[remote_port]>"
        lines = [
            f"{method} {'[next_url]' if dialog else peer.strip('<>')} SIP/2.0",
            f"Via: SIP/2.0/[transport] [local_ip]:[local_port];branch={branch};rport",
            "From: <sip:sipp@[local_ip]:[local_port]>;tag=[pid]t[call_number]",
            to or ("[last_To:]" if dialog else f"To: {peer}"),
            *(["[routes]"] if dialog else []),
            "Call-ID: [call_id]",
            f"CSeq: {self._cseq} {method}",
            "Contact: <sip:sipp@[local_ip]:[local_port]>",
            "Max-Forwards: 70",
            *([extra] if extra else []),
            *([f"Content-Type: {kind}"] if body else []),
            "Content-Length: [len]" if body else "Content-Length: 0",
        ]
        text = "\n".join(f"    {line}" for line in lines) + "\n\n" + (f"    {body}\n" if body else "")
        again = ' retrans="500"' if retrans else ""
        return self._add(f"<send{again}><![CDATA[\n{text}\n  ]]></send>")


class Sipp:
    """A running SIPp."""

    def __init__(self, folder: Path, hotline: tuple[str, int], scenario: Scenario, *options: str) -> None:
        self._folder = folder / scenario.call_id
        self._folder.mkdir()
        self.call_id = scenario.call_id
        (self._folder / "scenario.xml").write_text(scenario.xml())
        with (self._folder / "output").open("w") as output:
            self._process = subprocess.Popen(
                ["sipp", f"{hotline[0]}:{hotline[1]}", "-sf", "scenario.xml", "-i", "127.0.0.1", "-nostdin",
                 "-cid_str", f"{scenario.call_id}-%u", "-timeout", "100", "-timeout_error", "-m", "1",
                 "-trace_err", "-error_file", "errors", *options],
                cwd=self._folder, stdout=output, stderr=output,
            )  # fmt: skip

    def finish(self, within_s: float = 110) -> str:
        """Waits for its end, which must be good; gives the beginning of the Call-ID."""
        try:
            code = self._process.wait(within_s)
        except subprocess.TimeoutExpired:
            self.kill()
            raise
        errors, output = (self._folder / name for name in ("errors", "output"))
        told = (errors.read_text()[:1500] if errors.exists() else "") + output.read_text()[-2000:]
        assert code == 0, told
        return self.call_id

    def kill(self) -> None:
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()
