"""The split maze in closed form: pairs of which one never slips arrive as often as a binomial count reaches the way's length."""

from __future__ import annotations

import numpy as np

from commonage.games.maze import Maze
from commonage.learn.score import Player, score
from commonage.mechanisms.talk import Talk
from commonage.policies.map_reader import MapReader
from commonage.policies.map_teller import MapTeller
from commonage.policies.navigator import Navigator
from commonage.seeds import root
from commonage.verify import Check

SOURCE = "maze, paths of 8, 12 rounds: P(Bin(12, p) >= 8), p the probability that both name the right way"
LISTS: dict[str, Player] = {"exact": (Navigator(),), "half": (Navigator(skill=0.5),), "half, trusts": (Navigator(skill=0.5, trust=0.5),)}
MATCHES = 2_000
WITHIN = 0.036  # four standard errors of a rate over that many matches, at most


def checks() -> list[Check]:
    """Shares of matches that arrive."""
    whole, turns = Maze(rounds=12, least=8, most=8, views="whole"), Maze(rounds=12, least=8, most=8, views="whole", order="turn")
    # sum of C(12, k) over k = 8..12 is 794 of 4,096; with p = 3/4, the sum of C(12, k) 3^k is 14,132,448 of 4^12
    return [
        Check("maze, silent, one exact, one right in 1/2", SOURCE, 794 / 4096, lambda: _arrive(whole, "exact", "half"), WITHIN),
        Check("maze, in turn, the exact one first, 1/2 trusted", SOURCE, 0.842356, lambda: _arrive(turns, "exact", "half, trusts"), WITHIN),
        Check("maze, in turn, the exact one second", SOURCE, 794 / 4096, lambda: _arrive(turns, "half", "exact"), WITHIN),
        Check("maze, all is told: arrive", "both plan on one map", 1, told),
    ]


def told() -> float:
    """The share of arrivals of pairs that tell each other their whole copies."""
    signals = tuple("".join(".#"[code >> i & 1] for i in range(3)) for code in range(8))
    return _share(Talk(game=Maze(), signals=signals), [(MapReader(), MapTeller())] * 2, 200)


def _arrive(game: Maze, first: str, second: str) -> float:
    return _share(game, [LISTS[first], LISTS[second]], MATCHES)


def _share(game: Maze | Talk, players: list[Player], matches: int) -> float:
    keys = np.stack([root(seed) for seed in range(matches)])
    totals = score(game, players, np.tile(np.arange(2), (matches, 1)), keys)
    return float((totals.rewards[:, 0] > 0).mean())
