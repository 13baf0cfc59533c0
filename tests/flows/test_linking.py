"""Sub-flows: their own variables, secrets that stay so, calls checked against what is taken and given."""

from pathlib import Path

from flows.checker import check_all
from flows.loader import read
from flows.session import Session

HERE = Path(__file__).parent


def test_a_sub_flow_has_its_own_variables_and_keeps_secrets(caller_of, flow_of) -> None:
    main = flow_of(
        'flow = "main"\nstart = "start"\n[variables]\nout = ""\n[step.start]\ntype = "call"\nflow = "sub"\n'
        'give.question = "6 * 7"\ntake.out = "answer"\nnext = "end"\n'
        '[step.end]\ntype = "hangup"\nprompt = "End {out}."\n'
    )
    sub, _ = read((HERE / "sub.toml").read_text("utf-8"), "sub.toml")
    assert sub is not None
    linked, problems = check_all({"main": main, "sub": sub})
    assert not problems
    caller = caller_of(Session.start(linked["main"])).call()
    assert caller.heard == ["42: two digits?"]
    assert caller.session.is_secret
    caller.session = Session.resume(linked["main"], caller.session.snapshot())
    caller.key("77")
    assert caller.heard[-1] == "End 77."
    assert "77" not in str(caller.notes)


def test_calls_are_checked_against_what_the_sub_flow_takes(flow_of) -> None:
    sub, _ = read((HERE / "sub.toml").read_text("utf-8"), "sub.toml")
    main = flow_of(
        'flow = "main"\nstart = "start"\n[step.start]\ntype = "call"\nflow = "sub"\n'
        'give.questoin = "1"\ntake.out = "result"\nnext = "other"\n'
        '[step.other]\ntype = "call"\nflow = "sub"\ngive.question = "\'x\'"\nnext = "third"\n'
        '[step.third]\ntype = "call"\nflow = "subs"\nnext = "again"\n'
        '[step.again]\ntype = "call"\nflow = "main"\nnext = "start"\n'
    )
    assert sub is not None
    _, problems = check_all({"main": main, "sub": sub})
    found = [(problem.at.line, problem.code) for problem in problems if problem.code.startswith("call.")]
    assert found == [
        (3, "call.parameter"),
        (6, "call.parameter"),
        (7, "call.result"),
        (12, "call.parameter"),
        (16, "call.unknown"),
        (20, "call.circle"),
    ]


def test_back_leads_out_of_a_sub_flow_and_behind_one(caller_of, flow_of) -> None:
    main = flow_of(
        'flow = "main"\nstart = "start"\n[variables]\nwhat = "shoes"\n'
        '[step.start]\ntype = "menu"\nprompt = "Shoes?"\nchoices = [{ key = "1", next = "middle" }]\n'
        '[step.middle]\ntype = "call"\nflow = "middle"\nnext = "end"\n'
        '[step.end]\ntype = "menu"\nprompt = "More {what}?"\nchoices = [{ key = "1", next = "start" }]\n'
    )
    middle = flow_of(
        'flow = "middle"\nstart = "start"\n[step.start]\ntype = "call"\nflow = "size"\nnext = "end"\n'
        '[step.end]\ntype = "return"\n'
    )
    size = flow_of(
        'flow = "size"\nstart = "start"\n'
        '[step.start]\ntype = "menu"\nprompt = "Size?"\nchoices = [{ key = "1", next = "end" }]\n'
        '[step.end]\ntype = "return"\n'
    )
    linked, _ = check_all({"main": main, "middle": middle, "size": size})
    caller = caller_of(Session.start(linked["main"])).call().key("1")
    assert caller.heard[-1] == "Size?"
    caller.session = Session.resume(linked["main"], caller.session.snapshot())
    assert caller.listen_out().say("go back").heard[-1] == "Shoes?"
    assert caller.listen_out().say("go back").heard[-1] == "Shoes?"
    assert caller.listen_out().key("1").key("1").heard[-1] == "More shoes?"
    assert caller.listen_out().say("go back").heard[-1] == "Shoes?"


def test_a_result_has_its_type_where_it_is_taken(flow_of) -> None:
    main = flow_of(
        'flow = "main"\nstart = "start"\n[step.start]\ntype = "call"\nflow = "price"\ntake.price = "price"\n'
        'next = "end"\n[step.end]\ntype = "hangup"\nprompt = "{price + 1}"\n'
    )
    price = flow_of(
        'flow = "price"\nstart = "start"\n[results]\nprice = "number"\n'
        '[step.start]\ntype = "return"\nvalues.price = "5"\n'
    )
    assert check_all({"main": main, "price": price})[1] == []
    main = flow_of(main.text.replace("price + 1", "price + 'x'"))
    (problem,) = check_all({"main": main, "price": price})[1]
    assert (problem.at.line, problem.code) == (10, "type")
