"""The inverse game in closed form: who removes what, what comes of it, and the least and the most that can be removed."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from commonage.games.trash import Trash
from commonage.learn.score import score
from commonage.policies.constant import Constant
from commonage.policies.fair_remover import FairRemover
from commonage.policies.idler import Idler
from commonage.policies.random import Random
from commonage.policy import Policy
from commonage.seeds import root
from commonage.verify import Check

SOURCE = "inverse game: 100, +50, limit 95, five seats, a unit costs 1; closed form"
TABLES: dict[str, list[Policy]] = {
    "all idle": [Idler()] * 5,
    "all remove 1": [Constant(amount=1)] * 5,
    "all remove their share": [FairRemover()] * 5,
    "all remove 10": [Constant(amount=10)] * 5,
    "all remove 20": [Constant(amount=20)] * 5,
    "one removes 5, four idle": [Constant(amount=5), *[Idler()] * 4],
    "four remove 1, one idles": [*[Constant(amount=1)] * 4, Idler()],
}
# who: months, share of matches in which the house was kept, points of all together.
# 20 each empty the house: 100, then eleven times the 50 that were added
ROWS = {
    "all idle": (1, 0, 0),
    "all remove 1": (12, 1, -60),
    "all remove their share": (12, 1, -60),
    "all remove 10": (12, 1, -600),
    "all remove 20": (12, 1, -650),
    "one removes 5, four idle": (12, 1, -60),
    "four remove 1, one idles": (1, 0, -4),
}
COLUMNS = ("months", "kept", "points")


def checks() -> list[Check]:
    """Every cell of the table; what is kept for long, and by chance; the least and the most that can be removed."""
    cells = [(who, what, value) for who, row in ROWS.items() for what, value in zip(COLUMNS, row, strict=True)]
    ones, anything = [Constant(amount=1)] * 5, [Random()] * 5
    return [
        *(
            Check(f"trash, {who}: {what}", SOURCE, value, lambda who=who, what=what: _played(Trash(), TABLES[who])[what])
            for who, what, value in cells
        ),
        Check("trash, all remove 1: kept 1,000 months", SOURCE, 1, lambda: _played(Trash(rounds=1000), ones)["kept"]),
        # it is lost in the first month with probability 126 / 101^5, that of five uniform amounts with a sum below 5
        Check("trash, all uniform on 0..stock: kept", SOURCE, 1, lambda: _played(Trash(), anything, 1000)["kept"]),
        Check("trash: the least that keeps the house", SOURCE, 60, lambda: Trash().least()),
        Check("trash: the most that can be removed", "dynamic programming", 650, lambda: -Trash()._total(np.minimum)),
    ]


def _played(game: Trash, seats: Sequence[Policy], matches: int = 1) -> dict[str, float]:
    """By column, the mean over matches."""
    keys = np.stack([root(seed) for seed in range(matches)])
    totals = score(game, [(policy,) for policy in seats], np.tile(np.arange(game.seats), (matches, 1)), keys)
    return dict(zip(COLUMNS, (float(np.mean(x)) for x in (totals.rounds, ~totals.ended, totals.rewards.sum(1))), strict=True))
