"""Measures of games that go on over many steps, on matches whose numbers can be worked out by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal
from studied import Match, Tables, arm, match, tables

from commonage import Result, Study
from commonage.errors import SpecError
from commonage.measure import acts, report, statistics
from commonage.measure.focal_return import FocalReturn, of_seats

GRID: dict[str, Any] = {"questions": [{"name": "move"}], "owners": ["cleanup"], "round_steps": 50}
TALKED: dict[str, Any] = {"questions": [{"name": "move"}, {"name": "say"}], "owners": ["cleanup", "talk"], "round_steps": 50}


def value(name: Any, *played: Match, **header: Any) -> list[float | None]:
    """The measure of each match."""
    study = tables((arm("", "cleanup", **{**GRID, **header}), list(played)))
    (measure,) = statistics.measures_of([name])
    found = statistics.evaluate(study, [measure])
    return list(found[measure.name, 0]["value"]) if found else []


def walk(*steps: list[dict[str, Any]]) -> Match:
    """A match, step by step what each seat's row holds; mechanisms act where a row has another question than `move`."""
    rows = [[{"reward": 0, "question": "move", **seat} for seat in step] for step in steps]
    return Match([{"round": 1} for _ in steps], rows)


# steps, by hand


def test_per_step_is_the_sum_of_all_rewards_over_the_steps() -> None:
    assert value("per_step", match([[1, 0], [0, 0], [1, 1], [-1, 0]])) == [2 / 4]


def test_sustainability_is_when_rewards_came() -> None:
    """Seat 1 was paid in steps 1 and 3, seat 2 in step 4, seat 3 never: (2 + 4) / 2. What was lost is no reward."""
    assert value("sustainability", match([[1, 0, 0], [0, -1, 0], [2, 0, -1], [0, 1, 0]])) == [3]
    assert value("sustainability", match([[0, -1], [0, 0]])) == [None]


def test_sustainability_of_one_apple_a_step_is_the_middle() -> None:
    assert value("sustainability", match([[1, 1]] * 1000)) == [500.5]


def nobody(seats: int) -> dict[str, Any]:
    """Peace is of games in which players zap; here it does not matter who did."""
    return {"zapped_by": [[0] * seats] * 5}


def test_peace_counts_the_steps_that_a_seat_could_not_play() -> None:
    """Seat 1 is sent away for two steps by step 2: it misses steps 3 and 4 of 5; seat 2 in the last: it misses none."""
    assert value("peace", match([[0, 0]] * 5, facts={"out": [[0, 0], [2, 0], [1, 0], [0, 0], [0, 9]], **nobody(2)})) == [(2 * 5 - 2) / 5]
    assert value("peace", match([[0, 0, 0]] * 5, facts={"out": [[0, 0, 0]] * 5, **nobody(3)})) == [3]


def test_nothing_is_counted_while_mechanisms_act() -> None:
    """After step 2 there is talk: the facts of step 2 stand still, and two rewards of another layer are none of the game's."""
    fined = {"question": "say", "ate": 1, "zapped": 1, "out": 2}
    played = walk(
        [{"ate": 0, "zapped": 0, "zapped_by": 0, "out": 0}, {"ate": 1, "reward": 1, "zapped": 0, "zapped_by": 0, "out": 0}],
        [{"ate": 1, "reward": 1, "zapped": 0, "out": 2}, {"ate": 0, "zapped": 1, "out": 0}],
        [{**fined, "reward": 5, "contract.moved": 5, "zapped": 0}, {**fined, "ate": 0, "reward": -5, "contract.moved": -5, "out": 0}],
        [{"ate": 0, "zapped": 0, "out": 1}, {"ate": 1, "reward": 1, "zapped": 0, "out": 0}],
    )
    for name, expected in {"eaten": 3, "zapped": 1, "per_step": 1, "sustainability": (2 + 2) / 2, "peace": (6 - 1) / 3}.items():
        assert value(name, played, **TALKED) == [pytest.approx(expected)], name


def test_a_step_in_which_nobody_is_asked_is_the_games() -> None:
    """All are away: the world goes on without them."""
    played = walk([{"reward": 1}], [{"question": None}], [{"question": None}], [{"question": "say"}], [{"reward": 1}])
    assert value("per_step", played, **TALKED) == [2 / 4]
    assert value("sustainability", played, **TALKED) == [(1 + 4) / 2]


@pytest.mark.parametrize(("name", "fact"), [("eaten", "ate"), ("cleaned", "cleaned"), ("zapped", "zapped")])
def test_acts_add_up(name: str, fact: str) -> None:
    assert value(name, match([[0, 0]] * 3, facts={fact: [[1, 0], [0, 3], [1, 1]]})) == [6]
    assert value(name, match([[0, 0]])) == []  # it does not apply


def test_others_coins_are_a_share_of_all_that_were_taken() -> None:
    """Of five coins, one seat's two at once among them, two were the other's."""
    took = {"own_coins": [[1, 0], [1, 0], [0, 1]], "others_coins": [[0, 1], [1, 0], [0, 0]]}
    assert value("others_coins", match([[0, 0]] * 3, facts=took)) == [2 / 5]
    assert value("others_coins", match([[0, 0]], facts={"own_coins": [[0, 0]], "others_coins": [[0, 0]]})) == [None]


def test_games_of_one_step_a_round_have_none_of_these() -> None:
    for header in ({"round_steps": 1}, {"round_steps": 2, "questions": [{"name": "send"}, {"name": "return"}], "owners": ["trust"] * 2}):
        for name in ("per_step", "sustainability"):
            assert value(name, match([[1, 1]]), **header) == []
    old = tables((arm(), [match([[1, 1]])]))  # a log from before headers said so
    assert not statistics.evaluate(old, statistics.measures_of(["per_step", "sustainability"]))


def test_with_the_sum_stands_what_the_poorest_got() -> None:
    """Efficiency is never shown alone; where it does not apply the table stays as it was."""
    grid, lake = (statistics.summary(tables((arm("", "cleanup", **header), [match([[1, 2]] * 3)]))) for header in (GRID, {}))
    assert [name for name in report.headline(grid) if name in ("per_step", "welfare_min")] == ["per_step", "welfare_min"]
    assert "welfare_min" not in report.headline(lake)


# who did what


def test_acts_by_seat() -> None:
    facts = {
        "ate": [[1, 0], [1, 0]],
        "cleaned": [[0, 2], [0, 1]],
        "zapped": [[0, 1], [0, 0]],
        "zapped_by": [[1, 0], [0, 0]],
        "out": [[3, 0], [2, 0]],
    }
    found = acts.by_seat(tables((arm("", "cleanup", **GRID), [match([[1, 0], [1, 0]], facts=facts)])))
    assert found.rows(named=True) == [
        {"arm": 0, "match": 1, "seat": 0, "ate": 2, "cleaned": 0, "zapped": 0, "zapped_by": 1, "away": 1},
        {"arm": 0, "match": 1, "seat": 1, "ate": 0, "cleaned": 3, "zapped": 1, "zapped_by": 0, "away": 0},
    ]


def test_what_an_arm_does_not_record_is_unknown_not_zero() -> None:
    coins = match([[0, 0]] * 2, facts={"own_coins": [[1, 1], [0, 0]], "others_coins": [[0, 1], [0, 1]]})
    found = acts.by_seat(
        tables((arm("", "coin_game", **GRID), [coins]), (arm("", "cleanup", **GRID), [match([[1]], facts={"ate": [[1]]})]))
    )
    assert found.drop("match").rows(named=True) == [
        {"arm": 0, "seat": 0, "ate": None, "own_coins": 1, "others_coins": 0},
        {"arm": 0, "seat": 1, "ate": None, "own_coins": 1, "others_coins": 2},
        {"arm": 1, "seat": 0, "ate": 1, "own_coins": None, "others_coins": None},
    ]


def test_who_zapped_whom_is_told_by_seat_though_the_log_has_places() -> None:
    """Seats 0, 1, 2 sit at places 2, 0, 1. Place 2 hits places 0 and 1, twice; place 0 hits place 2 once."""
    places, hit = [2, 0, 1], [[0b011, 0b000, 0], [0b011, 0b100, 0], [0, 0, 0]]
    played = walk(*[[{"place": place, "zapped_whom": bits} for place, bits in zip(places, step, strict=True)] for step in hit])
    found = acts.whom(tables((arm("", "cleanup", **GRID), [played])))
    assert found.select("seat", "whom", "zaps").rows() == [(0, 1, 2), (0, 2, 2), (1, 0, 1)]


# the focal seats


def test_focal_return_is_the_mean_of_those_who_are_no_background() -> None:
    study = tables((arm(seats="mine*2,cheat(low=1),random"), [match([[1, 3, 100, 100]]), match([[5, 5, 0, 0]])]))
    measure = FocalReturn("random,cheat(low=1)")
    assert list(statistics.evaluate(study, [measure])["focal_return", 0]["value"]) == [2, 5]
    assert of_seats(study, [2, 4], 0)["value"].to_list() == [51.5, 2.5]
    for seats in ([], [5], [0]):
        with pytest.raises(SpecError, match="name some of 1 to 4"):
            of_seats(study, seats, 0)


@pytest.mark.parametrize("background", ["", "cheat", "mine*2,cheat(low=1),random"])
def test_without_seats_of_both_kinds_there_is_none(background: str) -> None:
    study = tables((arm(seats="mine*2,cheat(low=1),random"), [match([[1, 3, 100, 100]])]))
    assert not statistics.evaluate(study, [FocalReturn(background)])


# from a match that was played


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Result:
    """A crowded Cleanup under talk, with much zapping."""
    folder = tmp_path_factory.mktemp("grid") / "run"
    game = "cleanup(seats=5,rounds=3,round_steps=40,dirt_from=1,dead=1,growth=0.3,zap_out=7,zap_wait=0,zap_length=9)"
    with pytest.warns(UserWarning, match="talk is on, but no seat uses it"):
        Study(game, "random*5", ["talk"], repeats=2, seed=5).run(folder)
    return Result(folder)


def test_the_measures_agree_with_the_moves_of_a_match(played: Result) -> None:
    """A seat is away where it was not asked; every apple is a point; the log has more steps than the game."""
    moves = played.tables.moves.filter((pl.col("question") != "say").fill_null(True))
    for number in (1, 2):
        mine, found = moves.filter(match=number), played.one(number)
        asked = mine["question"].is_not_null().sum()
        assert (found["peace"], found["per_step"]) == (pytest.approx(asked / 120), pytest.approx(mine["reward"].sum() / 120))
        assert found["eaten"] == mine["reward"].sum() == found["welfare_sum"]
        assert asked < 5 * 120
        when = mine.filter(pl.col("reward") > 0).with_columns(
            turn=pl.col("step") + 1 - pl.col("round")
        )  # a round begins with a step of talk
        assert found["sustainability"] == pytest.approx(when.group_by("seat").agg(pl.col("turn").mean())["turn"].mean())


def test_acts_and_measures_count_the_same(played: Result) -> None:
    rows, pairs = acts.by_seat(played.tables), acts.whom(played.tables)
    for number in (1, 2):
        found, mine = played.one(number), rows.filter(match=number)
        assert [found[name] for name in ("eaten", "cleaned", "zapped")] == [mine[name].sum() for name in ("ate", "cleaned", "zapped")]
        assert found["peace"] == pytest.approx(5 - mine["away"].sum() / 120)
    sums = {key: pairs.group_by("match", key).agg(n=pl.col("zaps").sum()).sort("match", key)["n"].to_list() for key in ("seat", "whom")}
    ordered = rows.sort("match", "seat")
    assert sums["seat"] == [count for count in ordered["zapped"] if count]
    assert sums["whom"] == [count for count in ordered["zapped_by"] if count]
    assert pairs.filter(pl.col("seat") == pl.col("whom")).is_empty()
    assert pairs["zaps"].sum() > 5


@pytest.mark.parametrize("game", ["coin_game(rounds=4)", "coins(rounds=4,growth=0.02)"])
def test_a_coin_is_a_point_and_anothers_costs_two(tmp_path: Path, game: str) -> None:
    """What both earn together is coins less twice those that were the other's, by the log's own rewards."""
    result = Result(Study(game, "random*2", repeats=3, seed=2).run(tmp_path).path)
    rows = acts.by_seat(result.tables)
    for number in (1, 2, 3):
        mine, found = rows.filter(match=number), result.one(number)
        own, others = mine["own_coins"].sum(), mine["others_coins"].sum()
        assert found["welfare_sum"] == own + others - 2 * others
        assert found["others_coins"] == (pytest.approx(others / (own + others)) if own + others else None)
    assert rows["own_coins"].sum() > 0


def test_tokens_of_a_matrix_are_no_coins_and_interacting_is_no_war(tmp_path: Path) -> None:
    found = Study("matrix(rounds=2)", "random*2", repeats=1).run(tmp_path).one(1)
    assert not {"others_coins", "peace"} & set(found)
    assert "per_step" in found


# whoever sits where


@st.composite
def matches(draw: st.DrawFn) -> tuple[Match, list[int]]:
    """A match of some seats and steps, and an order of the seats."""
    seats, steps = draw(st.integers(2, 4)), draw(st.integers(1, 6))
    rows = lambda least, most: draw(
        st.lists(st.lists(st.integers(least, most), min_size=seats, max_size=seats), min_size=steps, max_size=steps)
    )
    facts = {
        "ate": rows(0, 1),
        "out": rows(0, 2),
        "zapped": rows(0, 2),
        "own_coins": rows(0, 1),
        "others_coins": rows(0, 1),
        "zapped_by": rows(0, 2),
    }
    return match(rows(-2, 2), facts=facts), draw(st.permutations(range(seats)))


SYMMETRIC = ("per_step", "sustainability", "peace", "eaten", "zapped", "others_coins", "equality", "welfare_min")


@given(matches())
@settings(max_examples=40, deadline=None)
def test_permuting_the_seats_permutes_what_is_told_by_seat_and_nothing_else(drawn: tuple[Match, list[int]]) -> None:
    one, order = drawn
    other = one._replace(moves=[[step[seat] for seat in order] for step in one.moves])
    study: Tables = tables((arm("", "cleanup", **GRID), [one, other]))
    for name, frame in statistics.evaluate(study, statistics.measures_of(SYMMETRIC)).items():
        a, b = frame["value"]
        assert a == (None if b is None else pytest.approx(b)), name
    rows = acts.by_seat(study)
    first, second = (rows.filter(match=number).drop("match").sort("seat") for number in (1, 2))
    assert_frame_equal(first[order].drop("seat"), second.drop("seat"))


@given(matches())
@settings(max_examples=40, deadline=None)
def test_every_number_lies_in_its_span(drawn: tuple[Match, list[int]]) -> None:
    study = tables((arm("", "cleanup", **GRID), [drawn[0]]))
    seats, steps = len(drawn[0].moves[0]), len(drawn[0].steps)
    found = {name: frame["value"][0] for (name, _), frame in statistics.evaluate(study, statistics.measures_of(SYMMETRIC)).items()}
    assert 0 <= found["peace"] <= seats
    assert found["sustainability"] is None or 1 <= found["sustainability"] <= steps
    assert found["others_coins"] is None or 0 <= found["others_coins"] <= 1


def test_the_report_takes_a_background(tmp_path: Path) -> None:
    Study("commons(seats=3,rounds=2,capacity=20)", "sustainer*2,cheat(low=1,high=6)", repeats=3).run(tmp_path)
    cell = Result(tmp_path, [FocalReturn("cheat(low=1,high=6)")]).summary()["arms"][0]["measures"]["focal_return"]
    assert cell["n"] == 3
    assert "focal_return" not in Result(tmp_path).summary()["arms"][0]["measures"]


def test_a_background_that_sits_nowhere_is_an_error() -> None:
    """A slip of the pen is no table without the measure."""
    arms = [{"arm": 0, "spec": {"seats": "cheat,random*2"}}]
    FocalReturn("random").must_seat(arms)
    with pytest.raises(SpecError, match="nobody at these tables is 'randon'; there are cheat, random"):
        FocalReturn("randon").must_seat(arms)
    with pytest.raises(SpecError, match="in no arm do others sit beside it"):
        FocalReturn("cheat,random").must_seat(arms)
