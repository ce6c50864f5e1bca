"""The donor game at a constant share: closed form of Vallinder & Hughes's rules for both schedules."""

from __future__ import annotations

import functools

import jax
import numpy as np

from commonage.games.donor import Donor
from commonage.learn.rollout import play, seat
from commonage.policies.constant import Constant
from commonage.seeds import root
from commonage.verify import Check

# mean final holdings of 12 agents, 12 rounds, endowment 10, multiplier 2; .1 alternating is 18.748 in exact arithmetic
ALTERNATING = {0: 10, 10: 18.748, 25: 53.5, 50: 394, 75: 3483, 100: 30720}
NOTEBOOK = {10: 18.7, 25: 52.0, 50: 341, 100: 15360}


def checks() -> list[Check]:
    """Holdings as published, to their digits; and each directed cross pair meets once."""
    tables = (("alternating", ALTERNATING), ("notebook", NOTEBOOK))
    holdings = [
        Check(
            f"donor, {schedule}, share {share} %: mean final holdings", "closed form", float(value), _ours(schedule, share), _digits(value)
        )
        for schedule, table in tables
        for share, value in table.items()
    ]
    growth = Check("donor, alternating, share 50 %: growth in two rounds", "(d + sqrt(d^2 - d + 1))^2", 1.8660254037844386, _growth, 1e-3)
    pairs = [Check(f"donor, {name}: directed cross pairs that meet once", "both schedules", 72.0, _pairs(name)) for name, _ in tables]
    return [*holdings, growth, *pairs]


def _digits(value: float) -> float:
    return 0.5 if value >= 300 else 0.05 if value != round(value, 2) else 0.0501


def _ours(schedule: str, share: int) -> functools.partial[float]:
    return functools.partial(_final, schedule, share, 12)


def _final(schedule: str, share: int, rounds: int) -> float:
    game = Donor(schedule=schedule, rounds=rounds)
    steps = play(game, seat([(Constant(amount=share),)], np.zeros((1, game.seats), int)), np.asarray(root(0))[None])
    return float(np.asarray(jax.device_get(steps.facts["holdings"]))[-1, 0].mean())


def _growth() -> float:
    return _final("alternating", 50, 12) / _final("alternating", 50, 10)


def _pairs(schedule: str) -> functools.partial[float]:
    return functools.partial(_met_once, schedule)


def _met_once(schedule: str) -> float:
    gives, other = Donor(schedule=schedule).pairs
    rounds, donors = np.nonzero(gives)
    met = list(zip(donors.tolist(), other[rounds, donors].tolist(), strict=True))
    return float(sum(met.count(pair) == 1 for pair in set(met)))
