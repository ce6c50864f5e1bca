"""Shapley values of the players at a table: what each adds to what all earn together (Shapley 1953)."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np

from commonage import spec
from commonage.agents.policy import PolicyAgent
from commonage.errors import SpecError
from commonage.game import Game, must_compile
from commonage.learn.rollout import Player
from commonage.learn.score import score
from commonage.measure import intervals
from commonage.measure.intervals import Interval
from commonage.run import seats as places
from commonage.run.study import Study

EXACT = 8  # up to so many players every coalition is played


class Shapley(NamedTuple):
    """What each player adds, repeat by repeat.

    In every repeat the values of all players add up to `everybody` less `nobody`.
    """

    seats: tuple[str, ...]
    outsider: str
    values: np.ndarray  # float64[seats, repeats]
    everybody: np.ndarray  # float64[repeats]: the sum of all returns where all play
    nobody: np.ndarray  # float64[repeats]: where the outsider sits everywhere
    exact: bool  # every coalition was played; else permutations were drawn

    @property
    def intervals(self) -> list[Interval]:
        """The mean of each player's value over repeats, with its 95 % interval."""
        return [intervals.mean(each) for each in self.values]


def shapley(
    game: Any,
    seats: Any,
    outsider: Any = "",
    repeats: int = 20,
    seed: int = 0,
    *,
    mechanisms: Sequence[Any] = (),
    sets: dict[str, Any] | None = None,
    samples: int = 16,
) -> Shapley:
    """The Shapley value of every player of a seat list.

    A coalition's worth is the mean sum of the returns of all seats, mechanisms' rewards among them, where its members play and the
    `outsider` sits in for everybody else (as in Heuillet et al. 2022). Who that is must be said: on a grid
    `constant(amount=0)`, which stays where it is. Up to 8 players every coalition is played; of more, the mean over `samples`
    random orders in each repeat, whose intervals hold that uncertainty too. Raises SpecError without an outsider, and for players who
    are no policies.
    """
    if not outsider:
        raise SpecError("shapley: say who sits in for a player that is left out: outsider='constant(amount=0)' does nothing on a grid")
    if samples < 1 or repeats < 1:
        raise SpecError(f"shapley: repeats={repeats!r}, samples={samples!r}: at least 1")
    played = must_compile(spec.game(game, tuple(mechanisms), sets or {}), "shapley")
    listed = places.read(seats)
    places.check(played, listed)
    players = [_player(seat, played) for seat in [*listed, *places.read([outsider])]]
    if len(players) != len(listed) + 1:
        raise SpecError(f"outsider={outsider!r}: one player")
    exact = played.seats <= EXACT
    orders = np.random.default_rng(seed).permuted(np.tile(np.arange(played.seats), (repeats, samples, 1)), axis=2)
    worth = _worth(played, players, seed, [range(2**played.seats)] * repeats if exact else [_prefixes(each).flat for each in orders])
    values = _exact(worth, played.seats) if exact else _sampled(worth, orders)
    everybody, nobody = (np.array([each[members] for each in worth]) for members in (2**played.seats - 1, 0))
    return Shapley(tuple(places.write([seat]) for seat in listed), places.write(places.read([outsider])), values, everybody, nobody, exact)


def _player(seat: Any, game: Game) -> Player:
    agent = places.agent(seat, game)
    if not isinstance(agent, PolicyAgent):
        raise SpecError(f"shapley: {places.write([seat])} is no policy; every coalition is played, so only policies have values")
    return agent.player


def _worth(game: Game, players: Sequence[Player], seed: int, coalitions: Sequence[Iterable[int]]) -> list[dict[int, float]]:
    """For each repeat: the sum of all returns by coalition, whose bits are seats of the list. The last player is the outsider."""
    pairs = np.array([(repeat, members) for repeat, each in enumerate(coalitions) for members in sorted(set(each))])
    keys, orders = Study(game, seed=seed).streams(game, range(len(coalitions)))
    seated = orders[pairs[:, 0]]  # [matches, places]
    seating = np.where(pairs[:, 1:] >> seated & 1, seated, len(players) - 1)
    sums = score(game, players, seating, keys[pairs[:, 0]]).rewards.sum(1, dtype=float)
    worth: list[dict[int, float]] = [{} for _ in coalitions]
    for (repeat, members), total in zip(pairs.tolist(), sums.tolist(), strict=True):
        worth[repeat][members] = total
    return worth


def _exact(worth: Sequence[dict[int, float]], seats: int) -> np.ndarray:
    """sum over the coalitions S without i of |S|! (n - |S| - 1)! / n! (v(S and i) - v(S)); float64[seats, repeats]."""
    v, members = np.array([[each[s] for s in range(2**seats)] for each in worth]).T, np.arange(2**seats)
    size = (members[:, None] >> np.arange(seats) & 1).sum(1)
    weight = np.array([1 / (seats * math.comb(seats - 1, k)) if k < seats else 0.0 for k in size])
    without = [members[members >> i & 1 == 0] for i in range(seats)]
    return np.array([weight[s] @ (v[s | 1 << i] - v[s]) for i, s in enumerate(without)])


def _sampled(worth: Sequence[dict[int, float]], orders: np.ndarray) -> np.ndarray:
    """What each player adds to those before it, the mean over orders int[repeats, samples, seats]; float64[seats, repeats]."""
    after = np.array([[[each[s] for s in row] for row in _prefixes(rows).tolist()] for each, rows in zip(worth, orders, strict=True)])
    adds = np.empty_like(after[..., 1:])
    np.put_along_axis(adds, orders, np.diff(after), axis=2)
    return adds.mean(1).T


def _prefixes(orders: np.ndarray) -> np.ndarray:
    """int[samples, seats + 1]: the coalitions that grow as players come in these orders, from nobody on."""
    return np.pad(np.cumsum(1 << orders, axis=1), ((0, 0), (1, 0)))
