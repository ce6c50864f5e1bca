"""What a change of partner costs, for players whose moves are known."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from commonage import Result, adaptation
from commonage.errors import SpecError
from commonage.run.adaptation import Adaptation, figure, summary, text

# ten rounds of the prisoner's dilemma (3, 0, 5, 1); what a pair gets in a round, the mean of both
CC, CD, DD = 3.0, 2.5, 1.0


@pytest.fixture(scope="module")
def found() -> Adaptation:
    return adaptation("dilemma", "tit_for_tat,grim,cooperator", "defector,cooperator", 4, repeats=2)


def test_the_scores_are_those_of_the_match_played_out(found: Adaptation) -> None:
    """Four rounds beside a defector, then a cooperator comes: tit_for_tat is a round late, grim never forgives, a cooperator always is."""
    expected = {
        "tit_for_tat": [CD, DD, DD, DD, CD, CC, CC, CC, CC, CC],
        "grim": [CD, DD, DD, DD, CD, CD, CD, CD, CD, CD],
        "cooperator": [CD, CD, CD, CD, CC, CC, CC, CC, CC, CC],
    }
    for player, scores in zip(found.players, found.scores, strict=True):
        assert scores[0].tolist() == [[score] * 2 for score in expected[player]]
        assert scores[1].tolist() == [[CC] * 2] * 10


def test_the_cost_is_held_against_the_same_rounds_beside_who_comes(found: Adaptation) -> None:
    parts = {name: part[:, 0].tolist() for name, part in found.parts.items()}
    assert parts["before"] == [(CD + 3 * DD) / 4, (CD + 3 * DD) / 4, CD]
    assert parts["then"] == pytest.approx([(CD + 5 * CC) / 6, CD, CC])
    assert parts["known"] == [CC, CC, CC]
    assert parts["cost"] == pytest.approx([(CC - CD) / 6, CC - CD, 0.0])


def test_a_failed_match_leaves_a_gap_and_no_guess() -> None:
    lost = adaptation("dilemma(rounds=3)", "scripted(banana),cooperator", "cooperator,defector", 1, repeats=1)
    assert np.isnan(lost.scores[0]).all()
    assert summary(lost)["players"][0]["cost"]["mean"] is None
    assert "-" in text(lost)


def test_what_was_not_reached_pays_nothing(tmp_path: Path) -> None:
    """Beside one who takes all the lake is empty after a month; nobody comes to a table where nothing is left."""
    lake = adaptation("commons(seats=2)", "sustainer", "greedy,sustainer", 1, repeats=2, out=tmp_path / "run")
    assert (lake.scores[0, 0, 0] > 0).all()
    assert (lake.scores[0, 0, 1:] == 0).all()
    assert (lake.scores[0, 1] > 0).all()
    assert Result(tmp_path / "run").planned == 2 * 2 * 2


def test_the_table_and_the_figure_name_everybody(found: Adaptation) -> None:
    said, drawn = text(found), figure(found)
    ElementTree.fromstring(drawn)
    assert "after round 4" in said
    for name in ("tit_for_tat", "grim", "cooperator"):
        assert name in said.splitlines()[1]
        assert f">{name}<" in drawn


@pytest.mark.parametrize(
    ("game", "players", "partners", "after", "says"),
    [
        ("commons", "sustainer", "greedy,sustainer", 3, "has 5 seats"),
        ("dilemma", "grim*2", "defector,cooperator", 3, "each of the players once"),
        ("dilemma", "grim", "defector", 3, "two of them"),
        ("dilemma", "grim", "defector,cooperator", 10, "1 to 9"),
        ("dilemma", "grim", "defector,cooperatr", 3, "did you mean 'cooperator'"),
    ],
)
def test_what_cannot_be_compared(game: str, players: str, partners: str, after: int, says: str) -> None:
    with pytest.raises(SpecError, match=says):
        adaptation(game, players, partners, after)
