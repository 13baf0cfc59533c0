"""The dial plan in Kamailio's language: one block a rule, in their order. Pure."""

import re

from telephony.edge.dialplan import CHARGED_S, RATE_WINDOW_S, Denied, DialPlan, Rule, Trunk

_GROUPS = frozenset(("workers", "agents", "supervisors"))
UNLIMITED = 1_000_000


def rules(plan: DialPlan) -> str:
    """The route that decides on `$var(number)` for `$var(group)` and `$avp(user)`."""
    blocks = [_block(plan, number, rule) for number, rule in enumerate(plan.rules, 1)]
    return "\n".join(["route[DIAL_PLAN] {", *blocks, f'    $var(denied) = "{Denied.NOT_ALLOWED}";', "}"]) + "\n"


def priced(plan: DialPlan) -> dict[str, Rule]:
    """The rules whose calls cost money, by the name that Kamailio knows them by."""
    return {key(number): rule for number, rule in enumerate(plan.rules, 1) if rule.price}


def key(number: int) -> str:
    """What Kamailio calls a rule."""
    return f"rule{number}"


def _block(plan: DialPlan, number: int, rule: Rule) -> str:
    trunk = plan.trunk(rule.trunk)
    fits = [f'$(var(number){{s.substr,0,{len(rule.prefix)}}}) == "{rule.prefix}"'] if rule.prefix else []
    who = [f'$var(group) == "{group}"' for group in sorted(rule.who & _GROUPS)]
    who += [f'$avp(user) == "{plain(user)}"' for user in sorted(rule.who - _GROUPS)]
    test = " && ".join([*fits, f"({' || '.join(who)})"])
    if trunk is None or not trunk.host or not who:
        does = f'        $var(denied) = "{Denied.NOT_ALLOWED}";\n'
    else:
        does = _allowed(key(number), rule, trunk)
    return f"    # {plain(rule.name)}\n    if ({test or '1'}) {{\n{does}        return;\n    }}"


def _allowed(name: str, rule: Rule, trunk: Trunk) -> str:
    rest = f"$(var(number){{s.substr,{rule.strip},0}})" if rule.strip else "$var(number)"
    target = trunk.uri("@").removeprefix("sip:@")
    limit_s = round(rule.max_duration_s) if rule.max_duration_s is not None else 0
    lines = [
        f'$avp(rule) = "{name}";',
        f'$avp(trunk) = "{plain(trunk.name)}";',
        f"$var(called) = {rest};",
        f'$var(called) = "{rule.add}" + $(var(called){{s.replace,#,%23}});',
        f'$ru = "sip:" + $var(called) + "{target}";',
        f"$var(at_once) = {rule.concurrency or UNLIMITED};",
        f"$var(a_minute) = {rule.rate or UNLIMITED};",
        f"$var(limit_s) = {limit_s};",
        f"$var(priced) = {int(bool(rule.price))};",
        f'$var(transport) = "{trunk.transport.lower()}";',
        f'$var(caller_id) = "{_caller_id(trunk)}";',
        f'$avp(auser) = "{plain(trunk.user)}";',
        f'$avp(apass) = "{_escaped(trunk.password)}";',
    ]
    return "".join(f"        {line}\n" for line in lines)


def _caller_id(trunk: Trunk) -> str:
    return f"sip:{trunk.caller_id}@{trunk.host}" if trunk.caller_id else ""


def plain(text: str) -> str:
    """A name as it may stand in the configuration."""
    return re.sub(r"[^0-9A-Za-z_.@+*# -]", "_", text)


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')


RATE_S, MINUTE_S = round(RATE_WINDOW_S), round(CHARGED_S)
