"""Generations: a lineage is a chain of matches; who goes on, who learns from whom, and that a crash changes nothing."""

from __future__ import annotations

import asyncio
import itertools
import json
import re
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from commonage import Arm, Result, Study, fork, replay
from commonage.agents.llm import Llm, prompts
from commonage.errors import SpecError
from commonage.measure import statistics
from commonage.model import Message, Model, Reply
from commonage.models.limits import Limits
from commonage.policies.image_donor import ImageDonor
from commonage.run import generations
from commonage.run.generations import Draws, Generations, Left
from commonage.run.methods import methods
from commonage.run.transcript import page, transcript
from commonage.store import read
from commonage.store.log import Log

SMALL = "donor(seats=4,rounds=4)"
FOUR = "image_donor*4"


def lineages(count: int = 3, seats: Any = FOUR, game: Any = SMALL, repeats: int = 4, seed: int = 2, chain: str = "", **more: Any) -> Study:
    arms = [Arm(game, seats, generations=f"generations(count={count}{chain})")]
    return Study(arms=arms, repeats=repeats, seed=seed, **more)


class Born:
    """A match of a lineage, as its tables have it."""

    def __init__(self, tables: read.Tables, repeat: int, generation: int) -> None:
        row = tables.matches.filter((pl.col("repeat") == repeat) & (pl.col("generation") == generation)).row(0, named=True)
        mine = tables.moves.filter(pl.col("match") == row["match"])
        self.strategies, self.parents, self.number = json.loads(row["strategies"]), row["parents"], row["match"]
        self.held = mine.filter(pl.col("step") == mine["step"].max()).sort("seat")["holdings"].to_list()


def chain(result: Result, repeat: int, count: int) -> list[Born]:
    return [Born(result.tables, repeat, generation) for generation in range(1, count + 1)]


# who goes on


def test_the_top_half_of_a_generation_are_the_parents_of_the_next(tmp_path: Path) -> None:
    result = lineages(4, "image_donor*12", "donor", 3, chain=",mutation=0").run(tmp_path / "run")
    for repeat in range(3):
        born = chain(result, repeat, 4)
        assert born[0].parents == [-1] * 12
        for before, after in itertools.pairwise(born):
            richest = set(np.argsort(before.held)[6:].tolist())
            assert {seat for seat, parent in enumerate(after.parents) if parent == seat} == richest
            assert set(after.parents) <= richest
            assert after.strategies == [before.strategies[parent] for parent in after.parents]
            assert before.held != after.held


def test_who_goes_on_does_not_depend_on_where_it_sits() -> None:
    @given(st.permutations(range(7)), st.lists(st.integers(0, 3), min_size=7, max_size=7), st.sampled_from(generations.SELECTS))
    def permuted(order: list[int], scores: list[int], select: str) -> None:
        rule, lots = Generations(select=select), np.linspace(0.1, 0.9, 7)
        on = generations.survivors(rule, np.array(scores, float), lots)
        assert on.sum() == 4
        assert (generations.survivors(rule, np.array(scores, float)[order], lots[order]) == on[order]).all()

    permuted()


def often(rule: Generations, scores: Sequence[float], tries: int = 4000) -> np.ndarray:
    """How often each seat goes on."""
    lots = np.random.default_rng(0).random((tries, len(scores)))
    return np.mean([generations.survivors(rule, np.array(scores, float), row) for row in lots], 0)


def test_ties_are_broken_by_lot() -> None:
    np.testing.assert_allclose(often(Generations(keep=0.5), [1, 1, 5, 1]), [1 / 3, 1 / 3, 1, 1 / 3], atol=0.03)
    np.testing.assert_allclose(often(Generations(keep=0.25), [2.0000001, 2, 1, 1]), [0.5, 0.5, 0, 0], atol=0.03)  # equal to six digits


def test_the_wheel_turns_in_proportion_and_lots_do_not_look() -> None:
    np.testing.assert_allclose(often(Generations(keep=0.25, select="roulette"), [3, 1, 0, -2]), [0.75, 0.25, 0, 0], atol=0.03)
    np.testing.assert_allclose(often(Generations(keep=0.25, select="random"), [3, 1, 0, -2]), [0.25] * 4, atol=0.03)


def test_at_least_one_goes_on() -> None:
    assert generations.survivors(Generations(keep=0.01), np.arange(4.0), np.full(4, 0.5)).tolist() == [False, False, False, True]


# what is inherited


def heirs(rule: Generations, seats: str, before: Left, steps: float = 0.5) -> list[Any]:
    arm = Study(arms=[Arm(SMALL, seats)]).built[0]
    drawn = Draws(np.full(4, 0.5), np.array([0.0, 0.3, 0.6, 0.99]), np.full((4, 6), steps))
    return generations.heirs(rule, arm.seats, arm.agents, before, drawn)


def numbers(**own: int) -> dict[str, int]:
    return {**dict.fromkeys(ImageDonor.evolves, 0), **own}


def test_newcomers_copy_with_mutation_and_stay_in_range() -> None:
    left = Left([numbers(first=place) for place in (10, 20, 95, 40)], np.array([1, 2, 4, 3.0]))
    middle = heirs(Generations(), FOUR, left)
    assert [heir.parent for heir in middle] == [2, 2, 2, 3]  # seats 2 and 3 go on; the others drew 0.0 and 0.3 of two
    assert [heir.strategy["first"] for heir in middle] == [95, 95, 95, 40]
    above = heirs(Generations(mutation=0.1), FOUR, left, steps=0.8413447)  # one standard deviation up: a tenth of each range
    assert [heir.strategy["first"] for heir in above] == [100, 100, 95, 40]  # 105 is cut; who goes on stays what it was
    assert above[0].strategy["slope"] == 20


def test_kinds_inherit_from_their_own_and_begin_afresh_where_none_is_left() -> None:
    left = Left([None, None, numbers(first=30), numbers(first=40)], np.array([1, 2, 4, 3.0]))
    out = heirs(Generations(), "generous_donor*2,image_donor*2", left)
    assert [heir.parent for heir in out] == [-1, -1, 2, 3]
    left = Left([None, None, numbers(first=30), numbers(first=40)], np.array([4, 3, 1, 2.0]))
    out = heirs(Generations(), "generous_donor*2,image_donor*2", left, steps=0.25)
    assert [heir.parent for heir in out] == [0, 1, -1, -1]
    assert out[2].strategy == {"first": 25, "base": -50, "slope": -50, "second": -50, "forward": -50, "fine": 25}


def test_how_lineages_begin(tmp_path: Path) -> None:
    drawn = [one for repeat in range(20) for one in chain(lineages(1, repeats=20).run(tmp_path / "drawn"), repeat, 1)[0].strategies]
    first, slope = ([one[name] for one in drawn] for name in ("first", "slope"))
    assert 40 < np.mean(first) < 60
    assert min(first) < 10 < 90 < max(first)
    assert -20 < np.mean(slope) < 20
    seats = "image_donor(first=7)*4"
    (born,) = chain(lineages(1, seats, chain=",start=given").run(tmp_path / "given"), 0, 1)
    assert born.strategies == [{**numbers(slope=100), "first": 7}] * 4
    with pytest.raises(SpecError, match=re.escape("image_donor(first=7): with start=random the first generation's first is drawn")):
        lineages(1, seats).built  # noqa: B018


# a study


def test_one_generation_is_the_match_without_generations(tmp_path: Path) -> None:
    chained = lineages(1, "image_donor(slope=80)*4", chain=",start=given").run(tmp_path / "chain").tables
    plain = Study(SMALL, "image_donor(slope=80)*4", repeats=4, seed=2).run(tmp_path / "plain").tables
    assert_frame_equal(chained.moves, plain.moves)
    assert_frame_equal(chained.steps, plain.steps)


def test_both_runners_breed_the_same(tmp_path: Path) -> None:
    compiled, mixed = (lineages(4, runner=runner).run(tmp_path / runner) for runner in ("compiled", "mixed"))
    assert_frame_equal(compiled.tables.matches, mixed.tables.matches)
    assert_frame_equal(compiled.tables.moves, mixed.tables.moves, check_exact=False)
    events = [result.events().filter(pl.col("kind").is_in(["started", "inherited"])).drop("at") for result in (compiled, mixed)]
    assert_frame_equal(*events)
    assert events[0].filter(kind="inherited").height == 4 * 4 * 4
    assert events[0]["generation"].drop_nulls().max() == 4


@pytest.mark.parametrize("runner", ["compiled", "mixed"])
def test_any_generation_is_replayed_and_told(tmp_path: Path, runner: str) -> None:
    lineages(3, runner=runner).run(tmp_path / "run")
    for number in range(1, 13):
        assert replay(tmp_path / "run", number).differing == []
    text = transcript(tmp_path / "run", 6)
    assert "repeat 2, generation 2 of 3" in text
    assert text.count("enters") == 4
    assert "in the seat list of the generation before, by: first" in text
    assert "Before the first round" in page(tmp_path / "run", 6)


def test_a_fork_keeps_what_its_seats_inherited(tmp_path: Path) -> None:
    lineages(3).run(tmp_path / "run")
    same = fork(tmp_path / "run", 6, 3, out=tmp_path / "same")
    there = read.read(tmp_path / "run", matches=[6])
    np.testing.assert_allclose(same.tables.moves.sort("step", "seat")["reward"], there.moves.sort("step", "seat")["reward"], rtol=1e-5)
    assert same.tables.matches["strategies"].to_list() == there.matches["strategies"].to_list()
    other = fork(tmp_path / "run", 6, 3, out=tmp_path / "other", seat={1: "generous_donor(0)"})
    assert other.status == {"finished": 1}
    assert json.loads(other.tables.matches["strategies"][0])[0] == ""


class Cut(Exception):
    """The crash."""


@pytest.mark.parametrize(("runner", "method", "count"), [("compiled", "chunk", 2), ("compiled", "chunk", 5), ("mixed", "write", 170)])
def test_a_lineage_that_was_cut_off_goes_on_as_if_it_were_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, runner: str, method: str, count: int
) -> None:
    study = lineages(6, runner=runner)
    study.run(tmp_path / "whole")
    calls, real = Counter[str](), getattr(Log, method)

    def cut(self: Log, *given: Any) -> None:
        calls[method] += 1
        if calls[method] > count:
            raise Cut
        real(self, *given)
        self.flush()

    with monkeypatch.context() as patch:
        patch.setattr(Log, method, cut)
        with pytest.raises(Cut):
            study.run(tmp_path / "cut")
    assert 0 < Result(tmp_path / "cut").status["finished"] < 24
    study.run(tmp_path / "cut")
    assert read.equal(tmp_path / "whole", tmp_path / "cut") == []


KILLED = """
import os, signal
from commonage import Arm, Study
from commonage.store.log import Log
chunk = Log.chunk
def dies(self, arm, number, *tables):
    chunk(self, arm, number, *tables)
    if number == 1:
        os.kill(os.getpid(), signal.SIGKILL)
Log.chunk = dies
Study(arms=[Arm({game!r}, {seats!r}, generations="count=4")], repeats=4, seed=2).run({folder!r})
"""


def test_kill_9(tmp_path: Path) -> None:
    script = KILLED.format(game=SMALL, seats=FOUR, folder=str(tmp_path / "cut"))
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == -signal.SIGKILL
    assert Result(tmp_path / "cut").status == {"finished": 8}
    study = lineages(4)
    study.run(tmp_path / "whole")
    study.run(tmp_path / "cut")
    assert read.equal(tmp_path / "whole", tmp_path / "cut") == []


def test_chunks_of_lineages_are_played_each_for_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lineages(3, repeats=5).run(tmp_path / "whole")
    monkeypatch.setattr("commonage.run.study.arm.CHUNK", 2)
    lineages(3, repeats=5).run(tmp_path / "chunks")
    whole, chunks = (read.read(tmp_path / name).matches.sort("match").drop("steps") for name in ("whole", "chunks"))
    assert_frame_equal(whole, chunks)


def test_arms_are_paired_and_their_matches_do_not_overlap(tmp_path: Path) -> None:
    games = (SMALL, "donor(seats=4,rounds=4,trace=false)")
    arms = [Arm(games[0], FOUR, generations="3"), Arm(games[0], "random*4"), Arm(games[1], FOUR, generations="count=2")]
    result = Study(arms=arms, repeats=3).run(tmp_path / "run")
    first = result.tables.matches.group_by("arm").agg(pl.col("match").min().alias("low"), pl.col("match").max().alias("high")).sort("arm")
    assert first.rows() == [(0, 1, 9), (1, 10, 12), (2, 13, 18)]
    assert result.planned == 18
    one, other = (result.tables.matches.filter((pl.col("arm") == arm) & (pl.col("generation") == 1)) for arm in (0, 2))
    assert one["strategies"].to_list() == other["strategies"].to_list()
    assert one["order"].to_list() == other["order"].to_list()


def test_a_lineage_counts_once(tmp_path: Path) -> None:
    """The reference code played two games a generation and counted the second twice."""
    result = lineages(3, repeats=5).run(tmp_path / "run")
    arm = result.summary()["arms"][0]
    assert (arm["matches"], arm["measures"]["cooperation"]["n"]) == (5, 5)
    rows = statistics.by_generation(result.tables, ["cooperation", "log_holdings"])
    assert rows.group_by("measure").len().sort("measure").rows() == [("cooperation", 15), ("log_holdings", 15)]
    assert set(rows["generation"]) == {1, 2, 3}
    last = rows.filter((pl.col("generation") == 3) & (pl.col("measure") == "cooperation"))["value"].mean()
    assert arm["measures"]["cooperation"]["mean"] == pytest.approx(last)
    html = result.report(tmp_path / "page.html").read_text()
    assert "Over generations" in html
    assert "generations = &quot;generations(count=3)&quot;" in html
    assert "over 3 generations" in methods(tmp_path / "run")


def test_a_study_file_keeps_them(tmp_path: Path) -> None:
    lineages(3, chain=",keep=0.25,select=roulette").save(tmp_path / "study.toml")
    again = Study.load(tmp_path / "study.toml")
    assert again.built[0].generations == Generations(3, 0.25, "roulette")
    assert again.toml() == (tmp_path / "study.toml").read_text()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("count=0", "generations(count=0): count must be matches in a chain"),
        ("keep=0", "keep must be a share above 0"),
        ("select=best", "select must be top or roulette or random"),
        ("mutation=2", "mutation must be a share"),
        ("start=zero", "start must be random or given"),
        ("counts=3", "no parameter 'counts'; did you mean 'count'?"),
        ("generations2(3)", "write generations("),
    ],
)
def test_what_is_refused(text: str, says: str) -> None:
    with pytest.raises(SpecError, match=re.escape(says)):
        Study(arms=[Arm(SMALL, FOUR, generations=text)]).built  # noqa: B018


def test_what_can_be_written() -> None:
    assert (
        generations.read("7") == generations.read("count=7") == generations.read("generations(7)") == generations.read(7) == Generations(7)
    )
    assert generations.read("") is generations.read(None) is None


def test_nobody_inherits_anything(tmp_path: Path) -> None:
    with pytest.warns(UserWarning, match="inherits anything"):
        lineages(2, "generous_donor*4").run(tmp_path / "run")


# failures


class Stubborn(ImageDonor):
    """From some number on it gives more than there is."""

    def act(self, key: Any, memory: Any, sight: Any, legal: Any) -> Any:
        move, memory = super().act(key, memory, sight, legal)
        return move + 1000 * (sight.gave > 90), memory


@pytest.mark.parametrize("runner", ["compiled", "mixed"])
def test_a_failed_match_ends_its_lineage_and_no_other(tmp_path: Path, runner: str) -> None:
    result = lineages(4, [Stubborn()] * 4, repeats=12, runner=runner, chain=",mutation=0").run(tmp_path / "run")
    rows = result.tables.matches
    failed = rows.filter(status="failed")
    assert 0 < failed.height < 12
    for repeat, generation in failed.select("repeat", "generation").iter_rows():
        assert rows.filter(pl.col("repeat") == repeat)["generation"].max() == generation
    assert result.planned == rows.height == 48 - sum(4 - generation for generation in failed["generation"])
    arm = result.summary()["arms"][0]
    assert (arm["matches"], arm["failed"], arm["measures"]["cooperation"]["n"]) == (12, failed.height, 12 - failed.height)
    lineages(4, [Stubborn()] * 4, repeats=12, runner=runner, chain=",mutation=0").run(tmp_path / "run")
    assert Result(tmp_path / "run").tables.matches.height == rows.height


# models


class Writer(Model):
    """Writes a strategy with its number on it, and gives by it; keeps what it was told."""

    name, verbs = "writer", ("chat",)

    def __init__(self, *odd: str) -> None:
        self.odd, self.heads, self.births = list(odd), list[str](), list[str]()

    async def chat(self, messages: Sequence[Message], **settings: Any) -> Reply:
        await asyncio.sleep(0)
        last = messages[-1].text
        if "write the strategy" in last:
            self.births.append(last)
            text = self.odd.pop(0) if self.odd else f"I give {len(self.births)} <per> cent"
        else:
            self.heads.append(messages[0].text)
            text = re.findall(r"I give (\d+)", messages[0].text)[0]
        return Reply(text, tokens_in=10, tokens_out=5)


def written(model: Model, count: int = 2, seats: int = 4, repeats: int = 1, **more: Any) -> Study:
    more = {"limits": Limits(cache=False), **more}
    return lineages(count, [Llm(model, price=(0, 0))] * seats, repeats=repeats, **more)


def test_a_model_writes_its_strategy_and_plays_by_it(tmp_path: Path) -> None:
    model = Writer()
    result = written(model).run(tmp_path / "run")
    first, second = chain(result, 0, 2)
    assert sorted(first.strategies) == [f"I give {number} <per> cent" for number in (1, 2, 3, 4)]
    assert len(model.births) == 6  # four founders, two newcomers
    assert not any("Others played this game" in text for text in model.births[:4])
    richest = sorted(np.argsort(first.held)[2:].tolist())
    for told in model.births[4:]:
        for seat in richest:
            assert f"- ended with {first.held[seat]:,.6g}: {prompts.quoted(first.strategies[seat])}" in told
        assert told.count("- ended with") == 2
    assert [seat for seat, parent in enumerate(second.parents) if parent == seat] == richest
    assert [second.strategies[seat] for seat in richest] == [first.strategies[seat] for seat in richest]
    head = "The strategy that you wrote before the game:\nI give "
    assert all(head in text for text in model.heads)
    moves = result.tables.moves.drop_nulls("move").filter(pl.col("match") == second.number)
    assert all(second.strategies[seat].startswith(f"I give {move} ") for seat, move in moves.select("seat", "move").iter_rows())


def test_every_call_for_a_strategy_is_counted_and_told(tmp_path: Path) -> None:
    model = Writer()
    result = written(model, repeats=2).run(tmp_path / "run")
    total = result.accounting[0]["total"]
    assert total["calls"] == total["moves"] == total["asked"] == 2 * (6 + 2 * 8)
    assert result.accounting[0]["wrong"] == []
    assert "write the strategy that you will play by" in transcript(tmp_path / "run", 3)
    assert replay(tmp_path / "run", 3).differing == []
    found = written(Writer(), repeats=2).estimate()
    assert [found.total(end).calls for end in ("low", "likely", "high")] == [44, 44, 44]


def test_an_empty_strategy_is_asked_for_again(tmp_path: Path) -> None:
    model = Writer("", "  \n ")
    result = written(model).run(tmp_path / "run")
    assert result.status == {"finished": 2}
    assert len(model.births) == 8
    assert "Your answer before this one could not be read: it was empty." in model.births[4]
    assert result.accounting[0]["total"]["asked_again"] == 2


@pytest.mark.parametrize("nothing", [[""] * 12, ["REFUSE"] * 4])
def test_a_seat_without_a_strategy_is_a_failure_and_never_plays(tmp_path: Path, nothing: list[str]) -> None:
    class Refuses(Writer):
        async def chat(self, messages: Sequence[Message], **settings: Any) -> Reply:
            reply = await super().chat(messages, **settings)
            return reply._replace(refusal="I would rather not") if reply.text == "REFUSE" else reply

    model = Refuses(*nothing)
    result = written(model).run(tmp_path / "run")
    assert result.status == {"failed": 1}
    assert result.planned == 1
    assert result.tables.moves.is_empty()
    (cause,) = result.summary()["arms"][0]["causes"]
    assert (cause["where"], cause["cause"]) == ("model", f"no strategy: {'it was empty' if nothing[0] == '' else 'I would rather not'}")
    assert "FAILED" in transcript(tmp_path / "run", 1)
    assert result.accounting[0]["wrong"] == []


@pytest.mark.parametrize("answer", ["-1300", "150 per cent", "12.5", "I give it all"])
def test_an_answer_that_is_no_donation_is_never_one(tmp_path: Path, answer: str) -> None:
    """The reference code took -1300 %, and made ten answers that it could not read a donation of 0."""

    class Odd(Writer):
        async def chat(self, messages: Sequence[Message], **settings: Any) -> Reply:
            reply = await super().chat(messages, **settings)
            return reply if "write the strategy" in messages[-1].text else reply._replace(text=answer)

    result = written(Odd()).run(tmp_path / "run")
    assert result.status == {"failed": 1}
    assert result.tables.moves.is_empty()
    assert result.summary()["arms"][0]["measures"]["cooperation"]["n"] == 0


def test_models_that_were_cut_off_are_not_asked_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = Writer()
    written(whole, count=3).run(tmp_path / "whole")
    count, real = [0], Log.write

    def cut(self: Log, *row: Any) -> None:
        count[0] += 1
        if count[0] > 32:
            raise Cut
        real(self, *row)
        self.flush()

    cut_off, after = Writer(), Writer()
    with monkeypatch.context() as patch:
        patch.setattr(Log, "write", cut)
        with pytest.raises(Cut):
            written(cut_off, count=3).run(tmp_path / "cut")
    after.births = list(cut_off.births)
    assert 4 < len(cut_off.births) < 8
    written(after, count=3).run(tmp_path / "cut")
    assert after.births == whole.births
    assert read.read(tmp_path / "cut").matches.equals(read.read(tmp_path / "whole").matches)


def test_policies_and_models_at_one_table(tmp_path: Path) -> None:
    model = Writer()
    study = lineages(3, [*[Llm(model, price=(0, 0))] * 2, "image_donor", "generous_donor"], limits=Limits(cache=False))
    result = study.run(tmp_path / "run")
    assert result.status == {"finished": 12}
    born = chain(result, 0, 3)
    assert [type(one) for one in born[2].strategies] == [str, str, dict, type(None)]
    low, likely, high = (study.estimate().total(end).calls for end in ("low", "likely", "high"))
    assert low <= result.accounting[0]["total"]["calls"] <= high
    assert low < likely < high
