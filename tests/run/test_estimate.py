"""What a study will ask of models, told before anything is sent: against counting by hand, and against what it then takes."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from table import Calls
from test_money import command
from till import Till, till

from commonage import Arm, Study
from commonage.agent import Agent
from commonage.agents.llm import Llm
from commonage.model import Message, Model, Reply
from commonage.models.budget import Budget
from commonage.run import estimate as estimates
from commonage.run import rehearsal
from commonage.run.estimate import Estimate, Row, Sum
from commonage.store.log import Log

DILEMMA = "dilemma(rounds=4)"
PRICED = "llm:fake(price=[1,2])"


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.fixture
def server() -> Iterator[Till]:
    with till() as server:
        yield server


def calls(found: Estimate) -> list[float]:
    return [found.total(end).calls for end in ("low", "likely", "high")]


def refused(study: Study) -> str:
    return asyncio.run(estimates.refused(study))


# calls


def test_one_call_a_question() -> None:
    found = Study(DILEMMA, "llm:fake,grim", repeats=3).estimate()
    assert calls(found) == [12, 12, 12]
    assert [(row.arm, row.seat, row.who, row.model) for row in found.rows] == [(0, 0, "llm:fake", "fake")]


def test_seat_by_seat_and_arm_by_arm() -> None:
    arms = [Arm(DILEMMA, "llm:fake*2"), Arm(DILEMMA, "grim*2"), Arm(DILEMMA, "grim,llm:fake(verb=decide)", ["talk"])]
    found = Study(arms=arms, repeats=3).estimate()
    assert [(row.arm, row.seat, row.likely.calls) for row in found.rows] == [(0, 0, 12), (0, 1, 12), (2, 1, 24)]


def test_every_member_of_a_team_counts() -> None:
    found = Study(DILEMMA, "vote(llm:fake,vote(llm:fake,llm:fake),random),grim", repeats=2).estimate()
    assert calls(found) == [24, 24, 24]
    assert len(found.rows) == 1


def test_memories_that_think_ask_more() -> None:
    plain, faithful = (Study(DILEMMA, f"llm:fake({memory}),grim", repeats=2).estimate() for memory in ("", "memory=faithful"))
    assert calls(faithful)[1] > 2 * calls(plain)[1]


def test_a_forced_move_costs_no_call() -> None:
    """A lake that is dry leaves one move."""
    found = Study("commons(seats=2,rounds=3,capacity=4)", ["llm:fake", "constant(amount=4)"], repeats=2).estimate()
    assert found.total("low").calls < 6


def test_where_random_play_ends_a_game_early_the_rounds_that_miss_are_added() -> None:
    """A lake of five: random play empties it in the first months; the year that it may last has twelve."""
    found = Study("commons", "llm:fake*5", repeats=4).estimate()
    low, likely, high = calls(found)
    assert low < 0.8 * 240
    assert likely == pytest.approx(240)
    assert high == pytest.approx(240)


def test_long_matches_are_cut_and_drawn_on(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = Study("dilemma(rounds=40)", "llm:fake,grim", repeats=1).estimate()
    monkeypatch.setattr(rehearsal, "MOST", 12)
    cut = Study("dilemma(rounds=40)", "llm:fake,grim", repeats=1).estimate()
    for end in ("likely", "high"):
        assert cut.total(end).calls == pytest.approx(40)
        assert cut.total(end).tokens_in == pytest.approx(whole.total(end).tokens_in, rel=0.1)


def test_every_seat_of_a_large_table_is_heard(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rehearsal, "MOST", 5)
    found = Study("public_goods(seats=12,rounds=3)", "llm:fake*12", repeats=1).estimate()
    assert [row.likely.calls for row in found.rows] == [3] * 12


def test_nobody_asks_a_model() -> None:
    study = Study(DILEMMA, "grim*2")
    found = study.estimate()
    assert (found.rows, found.text(), found.paid, refused(study)) == ([], "", False, "")


# tokens and money


class Talker(Model):
    """Says about as much as models do; a token has four bytes."""

    name = "talker"

    async def chat(self, messages: Sequence[Message], **settings: Any) -> Reply:
        text = "They seem to wait for what I do. " * 18 + "\ncooperate"
        return Reply(text, tokens_in=sum(len(message.text) for message in messages) // 4, tokens_out=len(text) // 4)


def test_what_it_takes_lies_in_the_interval() -> None:
    study = Study("dilemma(rounds=8)", [Llm(Talker()), "grim"], repeats=3)
    low, likely, high = (study.estimate().total(end) for end in ("low", "likely", "high"))
    study.run("run")
    with Log.open("run") as log:
        (spent,) = log.spent().at
    assert spent.calls == low.calls == high.calls
    assert low.tokens_in < spent.tokens_in < high.tokens_in
    assert low.tokens_out < spent.tokens_out < high.tokens_out
    assert likely.tokens_in == pytest.approx(spent.tokens_in, rel=0.1)


def test_a_whole_history_grows_with_the_square_of_the_rounds_and_a_window_does_not() -> None:
    def tokens(rounds: int, memory: str) -> float:
        return Study(f"dilemma(rounds={rounds})", f"llm:fake(memory={memory}),grim", repeats=1).estimate().total("likely").tokens_in

    assert tokens(32, "full") / tokens(16, "full") > 2.8
    assert tokens(32, "recent(3)") / tokens(16, "recent(3)") < 2.4


def test_max_tokens_caps_replies() -> None:
    found = Study(DILEMMA, "llm:fake(max_tokens=20),grim", repeats=1).estimate()
    assert [found.total(end).tokens_out for end in ("low", "likely", "high")] == [80, 80, 80]


def test_money_is_tokens_times_price() -> None:
    found = Study(DILEMMA, f"{PRICED},grim", repeats=3).estimate()
    for end in ("low", "likely", "high"):
        total = found.total(end)
        assert total.money == pytest.approx((total.tokens_in + 2 * total.tokens_out) / 1e6)
    assert found.paid


def test_the_flag_covers_the_high_end() -> None:
    money = Study(DILEMMA, f"{PRICED},grim", repeats=3).estimate()
    tokens = Study(DILEMMA, 'llm:x(address="https://model.invalid/v1"),grim', repeats=3).estimate()
    for found, unit in ((money, "money"), (tokens, "tokens")):
        budget = Budget.read(found.flag.removeprefix("--budget "))
        assert budget.unit == unit
        high = getattr(found.total("high"), unit)
        assert high <= budget.most <= 1.1 * high


def test_the_likely_lies_between() -> None:
    found = Study("commons", "llm:fake*2,sustainer*3", repeats=2).estimate()
    for row in found.rows:
        for name in ("calls", "tokens_in", "tokens_out"):
            assert getattr(row.low, name) <= getattr(row.likely, name) <= getattr(row.high, name)


def test_the_same_study_has_the_same_estimate() -> None:
    one, other = (Study("commons", "llm:fake*2,random*3", repeats=2).estimate() for _ in range(2))
    assert one == other


# nothing is sent


def test_nothing_is_sent_and_nobody_else_is_asked(server: Till) -> None:
    """The model's server, an agent of one's own, a person, in a team, too: none hears of it."""
    own = Calls(lambda view: "cooperate")
    Study(DILEMMA, [server.seat(), own], repeats=2).estimate()
    Study(DILEMMA, [f"vote({server.seat()},human)", "human"], repeats=2).estimate()
    assert (server.seen, own.views) == ([], [])
    assert list(Path().iterdir()) == []


def test_what_cannot_be_rehearsed_is_named() -> None:
    class Own(Agent):
        costs = True

        async def __call__(self, view: Any) -> Any:
            raise AssertionError("asked")

    study = Study(DILEMMA, [Own(), "llm:fake"], repeats=2)
    found = study.estimate()
    assert (found.paid, found.unknown, calls(found)) == (True, ["Own"], [8, 8, 8])
    assert refused(study).startswith("Own: paid, and there is no budget")
    assert refused(Study(DILEMMA, [Own(), "llm:fake"], repeats=2, budget=1)) == ""


# words


def test_in_words() -> None:
    ends = Sum(400, 80_100, 6_000, 0.1), Sum(1_200, 1_940_000, 180_000, 0.421), Sum(1_440, 3_000_000, 700_000, 2.1)
    found = Estimate([Row(0, seat, "llm:x", "x", None, *ends) for seat in (0, 1)], [])
    line, _ = found.text().splitlines()
    assert line == (
        "  arm 1, llm:x*2: 2,400 calls [800 - 2,880], 3.88M tokens in [160k - 6M], 360k out [12k - 1.4M], $0.84 [$0.20 - $4.20]"
    )


def test_a_dry_run_prints_it(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    play = ["play", DILEMMA, "--seats", f"{PRICED}*2", "--repeats", "3", "--dry-run"]
    assert command(monkeypatch, *play) == 0
    out = capsys.readouterr().out
    assert "1 arm x 3 repeats = 3 matches, seed 0; to run it --budget 0.0" in out
    assert "nothing was sent" in out
    assert "arm 1, llm:fake(price=[1,2])*2: 24 calls" in out
    assert "Assumed: replies of 30 to 500 tokens" in out
    assert not Path("runs").exists()


def test_a_dry_run_as_json(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    Path("mine.toml").write_text(f"repeats = 3\n[[arm]]\ngame = '{DILEMMA}'\nseats = '{PRICED},grim'\n")
    assert command(monkeypatch, "study", "mine.toml", "--dry-run", "--json") == 0
    told = json.loads(capsys.readouterr().out)["estimate"]
    assert told["likely"]["calls"] == 12
    (row,) = told["rows"]
    assert (row["arm"], row["seat"], row["model"], row["price"]) == (1, 1, "fake", [1, 2, None])
    assert row["low"]["money"] <= row["likely"]["money"] <= row["high"]["money"]
    assert "assumed" in told
