"""The linear public goods game: n = 4, y = 20, MPCR 0.4 (Isaac & Walker 1988)."""

from __future__ import annotations

import functools

import numpy as np

from commonage.games.public_goods import PublicGoods
from commonage.learn.score import score
from commonage.policies.constant import Constant
from commonage.seeds import root
from commonage.verify import Check


def checks() -> list[Check]:
    """One round: all free-ride, and all give."""
    return [
        Check("public goods, all free-ride: payoff a round", "n = 4, y = 20, MPCR 0.4", 20.0, functools.partial(_payoff, 0), 1e-5),
        Check("public goods, all give: payoff a round", "n = 4, y = 20, MPCR 0.4", 32.0, functools.partial(_payoff, 20), 1e-5),
    ]


def _payoff(amount: int) -> float:
    game = PublicGoods(rounds=1)
    totals = score(game, [(Constant(amount=amount),)], np.zeros((1, game.seats), int), np.asarray(root(0))[None])
    return float(totals.rewards[0, 0])
