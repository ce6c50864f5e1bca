"""Measures of joint work, against the moves of a match and against counts by hand."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest

from commonage import Study

SUMS = {"served": ["delivered"], "handed": ["handed"], "collisions": ["held_up"], "redundant": ["in_vain", "retaken", "wasted"]}


def measured(tmp_path: Any, game: str, seats: str) -> tuple[dict[str, float], pl.DataFrame]:
    result = Study(game, seats, repeats=1).run(tmp_path / "log")
    return {name: cell["mean"] for name, cell in result.summary()["arms"][0]["measures"].items()}, result.tables.moves


def test_they_add_up_what_stands_in_the_log(tmp_path: Any) -> None:
    found, moves = measured(tmp_path, "kitchen(rounds=2)", "random*2")
    for name, facts in SUMS.items():
        assert found[name] == sum(moves[fact].sum() for fact in facts), name
    assert found["idle"] == pytest.approx(moves["idle"].mean())
    assert found["redundant"] > 0


def test_who_stands_still_is_idle_and_nothing_else(tmp_path: Any) -> None:
    found, _ = measured(tmp_path, "kitchen(rounds=1)", "constant(amount=4)*2")
    assert {name: found[name] for name in ("idle", *SUMS)} == {"idle": 1, "served": 0, "handed": 0, "collisions": 0, "redundant": 0}


def test_two_who_push_against_each_other(tmp_path: Any) -> None:
    """Both walk east and west into each other in a corridor of two cells, for as long as it lasts."""
    found, _ = measured(tmp_path, "kitchen(layout=XXXX/X12X/XPSX,rounds=1,round_steps=5)", "constant(amount=2),constant(amount=3)")
    assert found["collisions"] == 2 * 5
    assert found["idle"] == 0


def test_who_can_only_pass_things_hands_over(tmp_path: Any) -> None:
    found, _ = measured(tmp_path, "kitchen(layout=forced_coordination,rounds=2)", "chef(layout=forced_coordination)*2")
    assert found["handed"] >= 4 * found["served"] > 0, "three onions and a dish for each soup"
