"""What models were sent and what it cost: counted by hand in played-out matches, and where it does not add up it says so."""

import json
import re
from html import unescape

import polars as pl
import pytest
from rich.console import Console
from studied import arm, match, tables

from commonage.agent import Agent, Answer
from commonage.agents.llm import Llm
from commonage.measure import accounting, report, statistics
from commonage.model import Model, Reply, Trouble
from commonage.run.study import Arm, Study
from commonage.store.calls import FRAME
from commonage.store.tables import ANSWERS

DILEMMA = "dilemma(rounds=3)"


class Script(Model):
    """Replies line by line, and with the last one for ever. Each takes 100 tokens in, of which its server had 40, and 10 out."""

    def __init__(self, *lines, name="script/one", verbs=("chat",)):
        self.lines, self.name, self.verbs = list(lines), name, verbs

    async def chat(self, messages, **settings):
        line = self.lines.pop(0) if len(self.lines) > 1 else self.lines[0]
        if isinstance(line, Exception):
            raise line
        return line if isinstance(line, Reply) else Reply(line, tokens_in=100, tokens_out=10, tokens_cached=40)

    async def decide(self, messages, options, **settings):
        return Reply("", p=(1.0,) + (0.0,) * (len(options) - 1), mass=1.0, tokens_in=50, tokens_out=1)


class Shy(Agent):
    """Is no model, and will not answer in round 2."""

    async def __call__(self, view):
        return Answer(refused="not today") if view.round == 2 else Answer(text="cooperate")


def play(folder, *places, game=DILEMMA, repeats=1, **more):
    return Study(game, list(places), repeats=repeats, **more).run(folder)


def seat(result, place=0, arm=0):
    return next(row for row in result.accounting[arm]["seats"] if row["seat"] == place)


def printed(thing, width=140):
    console = Console(width=width, force_terminal=False)
    with console.capture() as capture:
        console.print(thing)
    return capture.get()


# counted by hand


def test_a_match_without_trouble(tmp_path):
    result = play(tmp_path / "run", Llm(Script("cooperate")), "tit_for_tat")
    row = seat(result)
    assert [row["who"], row["models"], row["verbs"]] == ["Llm", ["script/one"], ["chat"]]
    assert [row[name] for name in ("asked", "moves", "failed", "paused", "open", "asked_again")] == [3, 3, 0, 0, 0, 0]
    assert [row[name] for name in ("calls", "cached", "tokens_in", "tokens_out", "cost", "retries")] == [3, 0, 300, 30, 0.0, 0]
    assert row["prefix_served"] == 0.4
    assert row["failures"] == {}
    account = result.accounting[0]
    assert [row["seat"] for row in account["seats"]] == [0]  # a policy calls nobody
    assert account["total"]["calls"] == 3
    assert account["wrong"] == []


def test_the_share_that_a_prefix_cache_could_serve(tmp_path):
    """By hand: of each prompt what it has in common with the one before, weighed by its tokens."""
    result = play(tmp_path / "run", Llm(Script("cooperate")), "tit_for_tat")
    first, second, third = result.calls().select("prompt", "shared").rows()
    assert first[1] == 0
    assert second[1] >= first[0]  # the whole of the prompt before: the default prompts are prefix-stable
    assert third[1] >= second[0]
    assert seat(result)["prefix"] == pytest.approx((second[1] / second[0] + third[1] / third[0]) / 3)


def test_asked_again_then_a_move(tmp_path):
    row = seat(play(tmp_path / "run", Llm(Script("hm", "perhaps", "cooperate")), "tit_for_tat"))
    assert [row[name] for name in ("asked", "moves", "failed", "asked_again", "calls")] == [3, 3, 0, 2, 5]


def test_asked_three_times_then_a_failure(tmp_path):
    """The third answer is not asked for again: twice, not three times."""
    result = play(tmp_path / "run", Llm(Script("cooperate", "hm")), "tit_for_tat")
    row = seat(result)
    assert [row[name] for name in ("asked", "moves", "failed", "asked_again", "calls")] == [2, 1, 1, 2, 4]
    assert row["failures"] == {"model": 1}


def test_a_refusal(tmp_path):
    row = seat(play(tmp_path / "run", Llm(Script("cooperate", Reply("", refusal="I would rather not"))), "tit_for_tat"))
    assert [row[name] for name in ("asked", "moves", "failed", "calls")] == [2, 1, 1, 2]
    assert row["failures"] == {"model": 1}


def test_a_pause_and_what_follows_it(tmp_path):
    """Paused in its second question; gone on with, nothing is paused, and the call that came to nothing stays counted."""
    model = Script("cooperate", Trouble("401: no such key", 401, again=False), "cooperate")
    study = Study(DILEMMA, [Llm(model), "tit_for_tat"], repeats=1)
    row = seat(study.run(tmp_path / "run"))
    assert [row[name] for name in ("asked", "moves", "failed", "paused", "calls", "troubles")] == [2, 1, 0, 1, 2, 1]
    row = seat(study.run(tmp_path / "run"))
    assert [row[name] for name in ("asked", "moves", "failed", "paused", "calls", "troubles")] == [3, 3, 0, 0, 4, 1]


def test_who_is_no_model_is_accounted_for_where_it_had_trouble(tmp_path):
    result = play(tmp_path / "run", Shy(), "tit_for_tat")
    row = seat(result)
    assert [row[name] for name in ("asked", "moves", "failed", "calls")] == [2, 1, 1, 0]
    assert row["failures"] == {"agent": 1}
    assert row["prefix"] is None
    assert result.accounting[0]["total"]["failures"] == {"agent": 1}


def test_policies_cost_nothing_and_are_not_told(tmp_path):
    result = play(tmp_path / "run", "grim", "tit_for_tat", runner="mixed")
    assert result.accounting == {}
    assert "accounting" not in result.summary()["arms"][0]
    assert "asked" not in printed(report.tables(result.summary()))


def test_seats_and_arms_add_up(tmp_path):
    arms = [Arm(DILEMMA, [Llm(Script("cooperate")), Llm(Script("defect", name="script/two"))], (), "two"),
            Arm(DILEMMA, [Llm(Script("cooperate")), "grim"], (), "one")]  # fmt: skip
    result = Study(arms=arms, repeats=4).run(tmp_path / "run")
    for account in result.accounting.values():
        for name in ("asked", "moves", "calls", "tokens_in", "tokens_out"):
            assert account["total"][name] == sum(row[name] for row in account["seats"])
        assert all(row["asked"] == row["moves"] + row["failed"] + row["paused"] for row in account["seats"])
    assert [account["total"]["calls"] for account in result.accounting.values()] == [24, 12]
    assert result.accounting[0]["total"]["models"] == ["script/one", "script/two"]


# where it does not add up


def calls(*rows):
    """(match, step, seat), with what differs from a call that was answered."""
    usual = {
        "arm": 0, "attempt": 0, "number": 0, "model": "a/b", "address": "", "verb": "chat", "tokens_in": 100, "tokens_out": 10,
        "tokens_cached": 0, "cost": 0.5, "seconds": 1.0, "waited": 0.0, "tries": 1, "trouble": None, "cached": False, "replied": True,
        "prompt": 400, "shared": 0,
    }  # fmt: skip
    listed = [{**usual, **dict(zip(("match", "step", "seat"), row[:3], strict=True)), **(row[3] if row[3:] else {})} for row in rows]
    return pl.DataFrame(listed, FRAME)


def answers(*rows, status="finished"):
    """(match, step, seat, kind, attempt)"""
    places = [dict(zip(("match", "step", "seat", "kind", "attempt"), row, strict=True)) for row in rows]
    listed = [{**place, "arm": 0, "status": status, "where": "model" if place["kind"] == "failed" else None} for place in places]
    return pl.DataFrame(listed, ANSWERS)


def account(calls, answers):
    return accounting.accounts([{**arm(seats="a,b"), "arm": 0}], calls, answers)[0]


def test_a_move_that_nobody_was_asked_for():
    found = account(calls((1, 0, 0)), answers((1, 0, 0, "moved", 0), (1, 1, 0, "moved", 0)))
    assert found["wrong"] == ["seat 1 was asked 1 question, and of them the log has 2 moves, 0 failed, 0 paused, 0 open"]


def test_an_answer_that_was_lost():
    found = account(calls((1, 0, 0), (1, 1, 0)), answers((1, 0, 0, "moved", 0)))
    assert found["wrong"] == ["seat 1 was asked 2 questions, and of them the log has 1 moves, 0 failed, 0 paused, 1 open"]
    cut = account(calls((1, 0, 0), (1, 1, 0)), answers((1, 0, 0, "moved", 0), status="open"))
    assert cut["wrong"] == []  # the match was cut off: it is asked again
    assert cut["total"]["open"] == 1


def test_a_match_that_was_cut_off_before_its_first_answer():
    found = account(calls((1, 0, 0)), answers())
    assert found["wrong"] == []
    assert [found["total"][name] for name in ("asked", "open")] == [1, 1]


def test_a_failure_needs_no_call():
    """An agent can fail before it calls anybody."""
    found = account(calls((1, 0, 0)), answers((1, 0, 0, "moved", 0), (1, 1, 0, "failed", 3), status="failed"))
    assert found["wrong"] == []
    assert [found["total"][name] for name in ("asked", "moves", "failed")] == [2, 1, 1]


def test_a_pause_before_anything_was_sent():
    """The budget was at its end: the question was put, and no call made."""
    found = account(calls((1, 0, 0)), answers((1, 0, 0, "moved", 0), (1, 1, 0, "paused", 0), status="paused"))
    assert [found["total"][name] for name in ("asked", "moves", "paused")] == [2, 1, 1]


def test_money_that_is_not_known():
    unknown = {"cost": None}
    some = account(calls((1, 0, 0), (1, 1, 0, unknown)), answers((1, 0, 0, "moved", 0), (1, 1, 0, "moved", 0)))
    assert some["total"]["cost"] == 0.5
    assert some["total"]["unpriced"] == 1
    assert accounting.remarks(some) == ["the price of 1 call is not known: counted in tokens"]
    none = account(calls((1, 0, 0, unknown)), answers((1, 0, 0, "moved", 0)))
    assert none["total"]["cost"] is None
    assert [row["cost"] for row in accounting.bills([("x", some), ("y", none)], True)] == ["$0.50+", "$0.50+", "unknown", "unknown"]


def test_what_the_cache_answered_was_not_sent():
    cached = {"cached": True, "tries": 0, "cost": 0.0}
    found = account(calls((1, 0, 0), (1, 1, 0, cached)), answers((1, 0, 0, "moved", 0), (1, 1, 0, "moved", 0)))["total"]
    assert [found[name] for name in ("calls", "cached", "tokens_in", "cost", "retries", "asked")] == [1, 1, 100, 0.5, 0, 2]


def test_retries_and_waiting():
    slow = {"tries": 4, "waited": 2.5, "seconds": 1.5}
    found = account(calls((1, 0, 0, slow), (1, 1, 0)), answers((1, 0, 0, "moved", 0), (1, 1, 0, "moved", 0)))["total"]
    assert [found[name] for name in ("retries", "waited", "seconds")] == [3, 2.5, 2.5]


# in every table


@pytest.fixture(scope="module")
def mixed(tmp_path_factory):
    """An arm whose seats use both verbs."""
    places = [
        Llm(Script("hm", "cooperate", name="<b>open</b>/one")),
        Llm(Script("x", name="script/two", verbs=("chat", "decide")), verb="decide"),
    ]
    return play(tmp_path_factory.mktemp("mixed") / "run", *places, repeats=2)


def test_the_text_table(mixed):
    rows = [re.split(r"\s{2,}", line.strip()) for line in printed(report.tables(mixed.summary())).splitlines()]
    head = next(row for row in rows if row[0] == "asked")
    table = [dict(zip(["who", *head], row, strict=False)) for row in rows if row[0] in ("in all", "1. Llm", "2. Llm")]
    assert [row["calls"] for row in table] == ["13", "7", "6"]
    assert [row["tokens in"] for row in table] == ["1,000", "700", "300"]
    assert "paused" not in head  # nothing was
    assert any("mixes verbs (chat, decide)" in line for line in report.notes(mixed.summary()))


@pytest.mark.parametrize("width", [70, 100, 140])
def test_the_text_table_fits(mixed, width):
    """What is least missed goes first."""
    lines = printed(report.tables(mixed.summary(), width), width).splitlines()
    assert max(map(len, lines)) <= width
    (head,) = (line for line in lines if "tokens in" in line)
    assert "cost" in head
    assert ("served" in head) == (width > 70)


def test_json(mixed):
    (found,) = json.loads(json.dumps(mixed.summary()))["arms"]
    assert found["accounting"]["total"]["calls"] == 13
    assert [row["verbs"] for row in found["accounting"]["seats"]] == [["chat"], ["decide"]]


def test_the_page(mixed, tmp_path):
    page = mixed.report(tmp_path / "report.html").read_text()
    section = page.partition("What models were sent, and what it cost")[2].partition("</section>")[0]
    cells = [re.findall(r"<t[dh][^>]*>(.*?)</t[dh]>", row) for row in re.findall(r"<tr>(.*?)</tr>", section)]
    assert cells[1][0] == "in all"
    assert dict(zip(cells[0], cells[1], strict=True))["tokens in"] == "1,000"
    assert "prefix cache could serve" in unescape(section)


# test models stay out of results


@pytest.fixture
def stamped():
    """Three arms, one of them with the test model."""
    played = [match([[3, 1]] * 4, [[1, 0]] * 4), match([[2, 1]] * 4, [[1, 0]] * 4)]
    names = ({"name": "policies"}, {"name": "small model", "test_models": ["pocket"]}, {"name": "more policies"})
    study = tables(*((arm(game="dilemma", seats="a,b", **more), played) for more in names))
    return study, accounting.told(statistics.summary(study), study.arms, {})


def test_their_arms_are_listed_apart_with_a_stamp(stamped):
    _, summary = stamped
    text = printed(report.tables(summary))
    results, _, apart = text.partition("TEST MODEL")
    assert "small model" not in results
    assert "more policies" in results
    assert "small model" in apart
    assert "policies" not in apart
    assert "small model" not in printed(report.table(summary))


def test_they_are_stamped_wherever_they_are_named(stamped):
    study, summary = stamped
    names = report.frame(summary)["name"].unique(maintain_order=True).to_list()
    assert names == ["policies", "small model (TEST MODEL)", "more policies"]
    html = report.report(study, "x")
    results = html.partition("<h2>Results</h2>")[2].partition("</section>")[0]
    apart = html.partition("<h2>Test models</h2>")[2].partition("</section>")[0]
    differences = html.partition("<h2>Differences</h2>")[2].partition("</section>")[0]
    assert "small model" not in results + differences
    assert "small model (TEST MODEL)" in apart
    assert report.TEST in apart


def test_where_all_arms_are_tests_there_are_no_results():
    study = tables((arm(game="dilemma", seats="a,b", name="x", test_models=["pocket"]), [match([[3, 1]])]))
    summary = accounting.told(statistics.summary(study), study.arms, {})
    assert printed(report.tables(summary)).strip().startswith("TEST MODEL")
    html = report.report(study, "x")
    assert "<h2>Figures</h2>" not in html
    assert "(TEST MODEL)" in html
