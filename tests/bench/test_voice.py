from bench.talk import Kind, Mark
from bench.voice import latencies_ms, scripts


def test_each_kind_of_turn_has_its_own_latency():
    say = Mark(Kind.SAY, "yes", began=10.0, ended=10.5, reply=11.0)
    key = Mark(Kind.KEY, "1", began=10.0, ended=10.16, reply=10.05)
    barge = Mark(Kind.BARGE, "stop", began=10.0, ended=10.5, reply=11.2, prompt_ended=10.2)
    assert [round(ms) for ms in latencies_ms([say, key, barge])] == [500, 50, 200]


def test_turns_without_an_answer_or_with_an_early_one_have_no_latency():
    assert latencies_ms([Mark(Kind.SAY, "a", began=1.0, ended=2.0), Mark(Kind.BARGE, "b", began=1.0, ended=2.0)]) == []
    assert latencies_ms([Mark(Kind.SAY, "a", began=1.0, ended=2.0, reply=3.0, answered_early=True)]) == []


def test_every_conversation_has_as_many_turns_as_wanted_all_audible():
    made = scripts(7)
    assert {name: len(turns) for name, turns in made.items()} == dict.fromkeys(made, 7)
    assert all(turn.sound or turn.key for turns in made.values() for turn in turns)
