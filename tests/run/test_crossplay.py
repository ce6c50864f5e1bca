"""Cross-play of players whose returns are known, and what it says of partners who only suit themselves."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from commonage import Result, Study, crossplay
from commonage.errors import SpecError
from commonage.run.crossplay import Crossplay, by_player, figure, summary, text

# ten rounds of the prisoner's dilemma (3, 0, 5, 1): what the first gets beside the second
KNOWN = {"cooperator": {"cooperator": 30, "defector": 0}, "defector": {"cooperator": 50, "defector": 10}}


def of(*pairs: list[list[float]]) -> Crossplay:
    """Two players, one repeat: pairs are aa, ab, ba, bb, each [first's return, second's]."""
    return Crossplay("game", ("a", "b"), np.array(pairs, float).reshape(2, 2, 2, 1))


def test_everybody_plays_with_everybody_in_both_seats() -> None:
    found = crossplay("dilemma", "cooperator,defector", repeats=2)
    for i, one in enumerate(found.players):
        for j, other in enumerate(found.players):
            assert found.returns[i, j].tolist() == [[KNOWN[one][other]] * 2, [KNOWN[other][one]] * 2]


def test_the_sums_by_hand() -> None:
    """The score of a mixed pair is (0 + 50) / 2; beside a cooperator the best response gets 50, beside a defector 10."""
    found = crossplay("dilemma", "cooperator,defector", repeats=2)
    assert (found.self_play.mean, found.cross_play.mean, found.gap.mean) == ((30 + 10) / 2, 25, -5)
    assert [row["own kind"]["mean"] for row in by_player(found)] == [30, 10]
    assert [row["others"]["mean"] for row in by_player(found)] == [0, 50]
    np.testing.assert_allclose(found.proximity[:, 0], [(30 / 50 + 0 / 10) / 2, 1])


def test_conventions_that_do_not_fit_each_other() -> None:
    """Both do well alone and nothing together: the gap is all of it (the two-lever game of Hu et al. 2020)."""
    found = of([10, 10], [0, 0], [0, 0], [10, 10])
    assert (found.self_play.mean, found.cross_play.mean, found.gap.mean) == (10, 0, 10)
    np.testing.assert_allclose(found.proximity[:, 0], [0.5, 0.5])


def test_seats_that_differ_are_told_apart() -> None:
    """b is useless in the second seat only: beside a it earns 8 in the first one, 2 in the second."""
    found = of([8, 8], [2, 2], [8, 8], [2, 2])
    assert found.scores[:, :, 0].tolist() == [[8, 2], [8, 2]]
    assert found.mine[:, :, 0].tolist() == [[8, 5], [5, 2]]
    np.testing.assert_allclose(found.proximity[:, 0], [1, (1 + 1 + 2 / 8 + 2 / 8) / 4])


def test_without_a_response_that_earns_there_is_no_proximity() -> None:
    assert np.isnan(of([0, 0], [0, 0], [0, 0], [0, 0]).proximity).all()


def test_a_failed_match_leaves_a_gap_and_no_guess() -> None:
    found = crossplay("dilemma(rounds=2)", "scripted(banana),defector", repeats=2)
    assert np.isnan(found.returns[0]).all()
    assert found.returns[1, 1, 0].tolist() == [2, 2]
    assert summary(found)["matrix"][0]["score"]["mean"] is None
    assert "-" in text(found)


def test_it_is_a_study_that_can_be_kept(tmp_path: Path) -> None:
    """The same numbers as from an arm of a study with this seat list."""
    found = crossplay("dilemma", "random,tit_for_tat", 5, 7, out=tmp_path / "run")
    alone = Study("dilemma", "random,tit_for_tat", repeats=5, seed=7).run(tmp_path / "alone").tables.moves
    assert found.returns[0, 1].sum() == alone["reward"].sum()
    assert Result(tmp_path / "run").planned == 4 * 5


def test_the_figure_names_all_and_has_every_score() -> None:
    drawn = figure(of([10, 10], [0, 0], [4, 4], [7, 7]))
    ElementTree.fromstring(drawn)
    for part in ("Score in game, rows: first seat", ">a<", ">b<", ">10<", ">0<", ">4<", ">7<", "prefers-color-scheme: dark"):
        assert part in drawn


def test_the_table_says_all() -> None:
    said = [line.split() for line in text(of([10, 10], [0, 0], [4, 4], [7, 7])).splitlines()]
    assert said[1:4] == [["first", "seat", "a", "b"], ["a", "10", "0"], ["b", "4", "7"]]
    assert said[-1] == ["self-play", "8.50,", "cross-play", "2.00,", "difference", "+6.50"]


@pytest.mark.parametrize(
    ("game", "players", "says"),
    [
        ("dilemma", "cooperator", "at least two players"),
        ("dilemma", "cooperator*2", "each of them once"),
        ("commons", "sustainer,cheat", "has 5 seats"),
        ("dilemma", "coperator,defector", "did you mean 'cooperator'"),
    ],
)
def test_wrong_players(game: str, players: str, says: str) -> None:
    with pytest.raises(SpecError, match=says):
        crossplay(game, players)
