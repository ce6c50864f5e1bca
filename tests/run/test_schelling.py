"""Schelling diagrams of games whose curves are known, and what they say of fear, greed and dilemma."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import polars as pl
import pytest

from commonage import Result, Study, schelling
from commonage.errors import SpecError
from commonage.measure.intervals import Interval
from commonage.run.schelling import Schelling, above, figure, summary, text

GIVE, HALF, KEEP = "constant(amount=20)", "constant(amount=10)", "constant(amount=0)"


def of(cooperators: list[list[float]], defectors: list[list[float]]) -> Schelling:
    return Schelling("game", "c", "d", np.array(cooperators), np.array(defectors))


# reward, sucker, temptation, punishment (Macy & Flache 2002): which of the tests hold
KINDS = {
    "prisoners_dilemma": ("3,0,5,1", True, True, True),
    "stag_hunt": ("4,0,3,2", True, False, True),
    "chicken": ("3,1,4,0", False, True, True),
    "harmony": ("4,2,3,1", False, False, False),
    "deadlock: defection is better for both": ("1,0,3,2", True, True, False),
}


@pytest.mark.parametrize("kind", KINDS)
def test_dilemmas_of_two(kind: str) -> None:
    """R_c(1), R_c(2) are sucker and reward; R_d(0), R_d(1) punishment and temptation; ten rounds of each."""
    payoffs, fear, greed, dilemma = KINDS[kind]
    r, s, t, p = (10 * float(each) for each in payoffs.split(","))
    found = schelling(f"dilemma(payoffs=[{payoffs}])", "cooperator", "defector", repeats=2)
    np.testing.assert_array_equal(found.cooperators, [[s, s], [r, r]])
    np.testing.assert_array_equal(found.defectors, [[p, p], [t, t]])
    assert (above(found.fear), above(found.greed), found.dilemma) == (fear, greed, dilemma)
    assert found.better.mean == r - p
    assert found.safe.mean == r - s


def test_public_goods_are_straight_lines() -> None:
    """A token in the pot pays 0.4 to each: beside l others R_c(l + 1) = 3 (0.4 20 (l + 1)), R_d(l) = 3 (20 + 0.4 20 l)."""
    found = schelling("public_goods(seats=4,rounds=3,mpcr=0.4)", GIVE, KEEP, repeats=2)
    others = np.arange(4)[:, None]
    np.testing.assert_allclose(found.cooperators, np.broadcast_to(24 * (others + 1), (4, 2)))
    np.testing.assert_allclose(found.defectors, np.broadcast_to(60 + 24 * others, (4, 2)))
    assert found.dilemma is True
    assert found.fear.mean == pytest.approx(3 * 20 * (1 - 0.4)) == found.greed.mean


@pytest.mark.parametrize(("mpcr", "better", "fear"), [(0.2, False, True), (1.5, True, False)])
def test_outside_its_range_a_public_good_is_no_dilemma(mpcr: float, better: bool, fear: bool) -> None:
    """Below 1/N giving is worse for all, above 1 it pays oneself."""
    found = schelling(f"public_goods(seats=4,rounds=2,mpcr={mpcr})", GIVE, KEEP, repeats=2)
    assert (above(found.better), above(found.fear), found.dilemma) == (better, fear, False)


def test_fines_are_part_of_what_one_earns() -> None:
    """Four rounds in which a defector is fined 40 by a cooperator, who pays 1 for it: temptation and greed are gone, fear stays."""
    with pytest.warns(UserWarning, match="no seat uses it: '0 of 2 cooperate' equals its control"):
        found = schelling("dilemma(rounds=4)", "cooperator+graduated_sanctioner", "defector", 2, mechanisms=["punish(fine=40)"])
    assert found.cooperators[:, 0].tolist() == [4 * 0 - 4, 4 * 3]
    assert found.defectors[:, 0].tolist() == [4 * 1, 4 * 5 - 4 * 40]
    assert (above(found.greed), above(found.fear)) == (False, True)
    assert found.game == "dilemma(rounds=4) with punish(fine=40)"


def test_the_same_player_on_both_sides() -> None:
    """Nothing is gained by changing a name: all tests compare a player with itself."""
    found = schelling("public_goods(seats=3,rounds=2)", HALF, HALF, repeats=3)
    assert [one.mean for one in (found.better, found.safe, found.fear, found.greed)] == [0] * 4
    assert found.dilemma is False


def test_verdicts_follow_the_interval() -> None:
    assert above(Interval(2.0, 1.0, 3.0, 9)) is True
    assert above(Interval(-2.0, -3.0, -1.0, 9)) is False
    assert above(Interval(0.0, 0.0, 0.0, 9)) is False  # equal in all repeats
    assert above(Interval(1.0, -1.0, 3.0, 9)) is None
    assert above(Interval(5.0, None, None, 1)) is None  # one repeat tells nothing


def test_what_repeats_cannot_tell_is_open() -> None:
    unsure, sure = [0.0, 9.0, -9.0, 1.0], [0.0] * 4
    assert of([sure, [5.0] * 4], [[1.0] * 4, [6.0] * 4]).dilemma is True
    assert of([sure, [5.0] * 4], [unsure, unsure]).dilemma is None
    assert of([[1.0] * 4, [5.0] * 4], [sure, sure]).dilemma is False  # neither fear nor greed
    assert of([sure, [5.0] * 4], [[6.0] * 4, unsure]).dilemma is False  # defection is better, whatever the rest


def test_failed_matches_leave_a_gap_and_no_guess() -> None:
    found = schelling("dilemma(rounds=2)", "scripted(banana)", "defector", repeats=2)
    assert np.isnan(found.cooperators).all()
    assert found.defectors[0].tolist() == [2, 2]
    assert found.dilemma is None
    assert summary(found)["cooperators"][0]["mean"] is None
    assert "-" in text(found)
    assert "defect: defector" in figure(found)


def test_it_is_a_study_that_can_be_kept(tmp_path: Path) -> None:
    """The same numbers as from an arm of a study with this seat list."""
    found = schelling("commons(seats=3,rounds=4)", "sustainer", "cheat", 5, 7, out=tmp_path / "run")
    alone = Study("commons(seats=3,rounds=4)", "sustainer,cheat*2", repeats=5, seed=7).run(tmp_path / "alone").tables.moves
    first = alone.filter(seat=0).group_by("match").agg(pl.col("reward").sum()).sort("match")
    assert found.cooperators[0].tolist() == first["reward"].to_list()
    assert Result(tmp_path / "run").planned == 4 * 5


def test_the_figure_has_both_curves() -> None:
    rng = np.random.default_rng(0)
    drawn = figure(of(rng.normal(5, 1, (4, 9)).tolist(), rng.normal(7, 1, (4, 9)).tolist()))
    ElementTree.fromstring(drawn)
    for part in ("cooperate: c", "defect: d", "others who cooperate", "prefers-color-scheme: dark"):
        assert part in drawn
    nothing = np.full((2, 3), np.nan).tolist()
    assert figure(of(nothing, nothing)) == ""


def test_the_table_says_all() -> None:
    said = text(of([[0.0, 0.0], [30.0, 30.0]], [[10.0, 10.0], [50.0, 50.0]])).splitlines()
    assert [line.split() for line in said[1:3]] == [["0", "0", "10"], ["1", "30", "50"]]
    assert said[4] == "yes     mutual cooperation pays more than mutual defection: +20"
    assert said[-1].startswith("yes     a social dilemma")


@pytest.mark.parametrize(
    ("cooperator", "says"), [("cooperator*2", "one player"), ("coperator", "did you mean 'cooperator'"), ("sustainer", "plays commons")]
)
def test_wrong_players(cooperator: str, says: str) -> None:
    with pytest.raises(SpecError, match=says):
        schelling("dilemma", cooperator, "defector")
