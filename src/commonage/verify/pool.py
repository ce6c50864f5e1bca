"""The common pool in closed form: where a constant effort leads the stock, and the largest yield (Schaefer 1954)."""

from __future__ import annotations

import functools

import numpy as np

from commonage.games.pool import Pool
from commonage.learn import rollout
from commonage.policies.constant import Constant
from commonage.seeds import root
from commonage.verify import Check

SOURCE = "Schaefer 1954: R* = K (1 - reach x effort / r)"
ROUNDING = 0.2  # tons: a round loses up to three hundredths to rounding down, and near 20 tons gives back a twentieth of what is missing
STEADY = {0: 100.0, 10: 80.0, 25: 50.0, 40: 20.0}  # effort in per cent: tons, at K = 100, r = 0.25, reach 0.5


def checks() -> list[Check]:
    """The steady state of some efforts, the yield at the best one, and the time to a collapse without growth."""
    steady = [
        Check(f"pool, all put in {effort} per cent: stock in the end", SOURCE, tons, functools.partial(_end, effort), ROUNDING)
        for effort, tons in STEADY.items()
    ]
    yields = Check("pool, half effort of a collapse: yield a round", "Schaefer 1954: r K / 4", 6.25, functools.partial(_yield, 25), 0.1)
    last = Check("pool, no growth, half taken a round: rounds", "100 / 2^5 < 5", 5, _rounds)
    return [*steady, yields, last]


def _end(effort: int) -> float:
    return float(_played(Pool(seats=1, rounds=400), effort).facts["stock"][-1, 0])


def _yield(effort: int) -> float:
    return float(_played(Pool(seats=1, rounds=400), effort).facts["caught"][-1, 0].sum())


def _rounds() -> float:
    return float(_played(Pool(growth=0), 100).live.sum())


def _played(game: Pool, effort: int) -> rollout.Step:
    groups = rollout.seat([(Constant(amount=effort),)], np.zeros((1, game.seats), int))
    return rollout.play(game, groups, np.asarray(root(0))[None])
