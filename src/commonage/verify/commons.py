"""The fishery without any model: rows of Piatti et al. 2024 and the finite-horizon optimum."""

from __future__ import annotations

import functools
import tempfile
from pathlib import Path

from commonage.games.commons import Commons
from commonage.policies.constant import Constant
from commonage.policies.random import Random
from commonage.policies.sustainer import Sustainer
from commonage.run.study import Arm, Study
from commonage.verify import Check

REPEATS = 2000
SOURCE = "GovSim rules, unit sharing"
# who: survival %, months, gain a seat, efficiency %, equality %, over-usage %
ROWS = {
    "all harvest 0": (100, 12, 0, 0, None, 0),
    "all harvest 5": (100, 12, 60, 50, 100, 0),
    "all harvest 10": (100, 12, 120, 100, 100, 0),
    "all share": (100, 12, 120, 100, 100, 0),
    "all harvest 12": (0, 3, 32, 26.7, 96.2, 97.7),
    "all harvest 20": (0, 1, 20, 16.67, 100, 100),
    "share, all in month 12": (0, 12, 130, 100, 98.5, 8.3),
    "four share, one takes 15": (0, 7, 55.2, 46.0, 82.3, 20),
    "all uniform on 0..stock": (0, 1, 20, 16.7, 82.5, 89.1),
}
DRAWN = {"all harvest 12", "share, all in month 12", "all uniform on 0..stock"}  # lots decide who gets what
MEASURES = {"survival_rate": 100, "survival_time": 1, "gain": 1, "efficiency": 100, "equality": 100, "over_usage": 100}


def checks() -> list[Check]:
    """Every cell of the table; a stochastic one within 0.5, the tolerance of its source."""
    cells = [(who, measure, value) for who, values in ROWS.items() for measure, value in zip(MEASURES, values, strict=True)]
    table = [
        Check(f"commons, {who}: {measure}", SOURCE, float(value), functools.partial(_cell, who, measure), 0.5 if who in DRAWN else 0.05)
        for who, measure, value in cells
        if value is not None
    ]
    best = Check("commons: largest sum of harvests in 12 months", "dynamic programming", 650, lambda: Commons()._optimum())
    return [*table, best]


def _seats(who: str) -> list[object]:
    share = [Sustainer()]
    return {
        "all share": share * 5,
        "share, all in month 12": [Sustainer(last=12)] * 5,
        "four share, one takes 15": [*share * 4, Constant(amount=15)],
        "all uniform on 0..stock": [Random()] * 5,
    }.get(who) or [Constant(amount=int(who.split()[-1]))] * 5


@functools.cache
def _summary() -> list[dict[str, float]]:
    """The arms, run through the whole path: rollout, log, tables, measures."""
    with tempfile.TemporaryDirectory() as folder:
        study = Study(arms=[Arm(Commons(), _seats(who), name=who) for who in ROWS], repeats=REPEATS, seed=1)
        arms = study.run(Path(folder) / "log").summary()["arms"]
    return [{name: cell["mean"] for name, cell in arm["measures"].items()} for arm in arms]


def _cell(who: str, measure: str) -> float:
    return _summary()[list(ROWS).index(who)][measure] * MEASURES[measure]
