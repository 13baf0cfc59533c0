"""Settings to Kamailio's configuration: what is in the text, and that Kamailio takes it."""

import ipaddress
import re
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from telephony.edge.desk import Place
from telephony.edge.dialplan import DialPlan, Rule, Trunk
from telephony.edge.guard import GuardSettings
from telephony.edge.settings import EdgeSettings
from telephony.kamailio.errors import MissingError
from telephony.kamailio.generate import Setup, Tls, configuration
from telephony.kamailio.program import Program, find

NETWORK = ipaddress.IPv4Network("198.51.100.0/24")
TRUNK = Trunk("carrier", (NETWORK,), "sip.carrier.example", 5070, "TLS", "hotline", 'pass"word\\', "+4930")
RULES = (
    Rule('odd "name"\n}', "0900"),
    Rule("de", "0", 1, "+49", "carrier", frozenset(("workers", "anna")), rate=3, concurrency=2, max_duration_s=90),
    Rule("dear", "", trunk="carrier", price=0.5, daily_cost=1.0),
)
SETUP = Setup(
    place=Place("203.0.113.7", "127.0.0.1", 5060, 5061, frozenset(("sip.example.org",))),
    bind="0.0.0.0",
    key="ab" * 32,
    nonce_key="cd" * 16,
    edge=EdgeSettings(
        lines=frozenset(("shop", "+49 30.1")), any_line=False, guard=GuardSettings(callers=(NETWORK,)),
        plan=DialPlan((TRUNK,), RULES),
    ),
    max_calls=120,
    max_call_s=14460.0,
    modules=Path("/usr/lib/x86_64-linux-gnu/kamailio/modules"),
)  # fmt: skip


def test_nothing_is_left_to_be_filled_in() -> None:
    assert re.findall(r"@[A-Z_]+@", configuration(SETUP)) == []


def test_phones_and_workers_have_sockets_of_their_own() -> None:
    listen = re.findall(r"^listen=(.*)", configuration(SETUP), re.MULTILINE)
    assert listen == [
        "udp:127.0.0.1:5060",
        "udp:0.0.0.0:5060 advertise 203.0.113.7:5060",
        "tcp:0.0.0.0:5060 advertise 203.0.113.7:5060",
    ]
    private = replace(SETUP, place=Place("127.0.0.1", "127.0.0.1", 5070), bind="127.0.0.1")
    listen = re.findall(r"^listen=(.*)", configuration(private), re.MULTILINE)
    assert listen == ["udp:127.0.0.1:5070", "tcp:127.0.0.1:5070"]


def test_tls_is_there_where_it_is_wanted() -> None:
    plain = replace(SETUP, edge=EdgeSettings())
    assert "tls.so" not in configuration(plain)
    with_phones = configuration(replace(plain, tls=Tls(Path("/c.pem"), Path("/k.pem"))))
    assert "listen=tls:0.0.0.0:5061 advertise 203.0.113.7:5061" in with_phones
    assert 'modparam("tls", "certificate", "/c.pem")' in with_phones
    assert "ca_list" not in with_phones
    assert 'modparam("tls", "ca_list", "/etc/ssl/certs/ca-certificates.crt")' in configuration(SETUP)


def test_rules_stand_in_their_order_and_names_cannot_break_out() -> None:
    text = configuration(SETUP)
    plan = text[text.index("route[DIAL_PLAN]") :]
    assert re.findall(r"^    # (.*)", plan, re.MULTILINE) == ["odd _name___", "de", "dear"]
    assert '$(var(number){s.substr,0,1}) == "0" && ($var(group) == "workers" || $avp(user) == "anna")' in plan
    assert '"@sip.carrier.example:5070;transport=tls"' in plan
    assert r'$avp(apass) = "pass\"word\\";' in plan


def test_no_callers_but_those_listed_and_no_line_that_is_not_there() -> None:
    text = configuration(SETUP)
    assert 'is_in_subnet("$si", "198.51.100.0/24")' in text
    assert '"^([+]49[ ]30[.]1|shop)$"' in text
    anyone = configuration(replace(SETUP, edge=EdgeSettings()))
    assert 'is_in_subnet("$si", "0.0.0.0/0")' in anyone


@pytest.mark.needs("kamailio")
@pytest.mark.parametrize("setup", [SETUP, replace(SETUP, edge=EdgeSettings())], ids=["everything", "defaults"])
def test_kamailio_takes_it(setup: Setup, tmp_path: Path) -> None:
    program = find()
    file = tmp_path / "kamailio.cfg"
    text = configuration(replace(setup, modules=program.modules))
    program.check(text)
    file.write_text(text)
    told = subprocess.run(
        [program.binary, "-c", "-f", file, "-Y", tmp_path], capture_output=True, text=True, check=False, timeout=30
    )
    assert told.returncode == 0, told.stderr
    assert "ERROR" not in told.stderr


def test_what_is_missing_is_named_with_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(MissingError, match="apt install kamailio kamailio-tls-modules"):
        find(path=str(tmp_path))
    (tmp_path / "tm.so").touch()
    with pytest.raises(MissingError, match=r"lacks pike\.so .*apt install"):
        Program(Path("kamailio"), tmp_path).check('loadmodule "tm.so"\nloadmodule "pike.so"\n')
