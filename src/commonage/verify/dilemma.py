"""Memory-one play: the simulator against exact propagation of the Markov chain, and the extortioners' slope (Press & Dyson 2012)."""

from __future__ import annotations

import functools

import numpy as np

from commonage.games.dilemma import Dilemma
from commonage.learn.tournament import expected, round_robin
from commonage.policies.memory_one import MemoryOne
from commonage.verify import Check

EXTORT_2 = (1.0, 8 / 9, 1 / 2, 1 / 3, 0.0)
PARTNERS = {"always cooperates": (1.0,) * 5, "(.7; .2, .9, .4, .6)": (0.7, 0.2, 0.9, 0.4, 0.6)}
ROUNDS, REPEATS = 200, 2000


def checks() -> list[Check]:
    """The slope is exact in the long run; the simulator must meet the exact expectation within 4 standard errors."""
    slopes = [
        Check(
            f"dilemma, Extort-2 against one who {name}: (s_x - P) / (s_y - P)",
            "Press & Dyson 2012",
            2.0,
            functools.partial(_slope, p),
            1e-3,
        )
        for name, p in PARTNERS.items()
    ]
    pair = tuple(PARTNERS.values())[1]
    return [
        *slopes,
        Check(
            "dilemma, simulated less exact payoff of Extort-2, in standard errors",
            "Markov chain",
            0.0,
            functools.partial(_error, pair),
            4.0,
        ),
    ]


def _slope(partner: tuple[float, ...]) -> float:
    mine, other = expected(Dilemma(rounds=200_000), EXTORT_2, partner)
    return (mine - 1) / (other - 1)


def _error(partner: tuple[float, ...]) -> float:
    game = Dilemma(rounds=ROUNDS)
    scores = round_robin(game, [(MemoryOne(p=EXTORT_2),), (MemoryOne(p=partner),)], REPEATS, seed=1).scores[0, 1] / ROUNDS
    return float((scores.mean() - expected(game, EXTORT_2, partner)[0]) / (scores.std() / np.sqrt(REPEATS)))
