"""Round-robin tournaments between policies of one two-seat game (Axelrod 1980), all pairs in one compiled loop."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from commonage import seeds
from commonage.errors import SpecError
from commonage.game import Game
from commonage.games.dilemma import Dilemma
from commonage.learn.rollout import Player
from commonage.learn.score import score


class Tournament(NamedTuple):
    """Scores of a round robin, self-play included."""

    scores: np.ndarray  # float32[players, players, repeats]: what the row's player got from the column's, over the match
    cooperation: np.ndarray  # float32[players, players, repeats]: its mean deed


def round_robin(game: Game, players: Sequence[Player], repeats: int = 10, seed: int = 0) -> Tournament:
    """Every pair of players, and each with itself, `repeats` times. Raises SpecError unless two sit at the table."""
    if game.seats != 2:
        raise SpecError(f"{game.name} seats {game.seats}: a round robin pairs players, so the game must seat 2")
    row, column = np.triu_indices(len(players))
    seating = np.repeat(np.stack([row, column], 1), repeats, 0)  # [matches, 2]
    totals = score(game, players, seating, keys(seed, len(seating)))
    deeds = totals.deeds / np.maximum(totals.count, 1)
    shape = (len(players), len(players), repeats)
    return Tournament(_matrix(totals.rewards, row, column, shape), _matrix(deeds, row, column, shape))


def expected(game: Dilemma, mine: Sequence[float], other: Sequence[float]) -> tuple[float, float]:
    """Exact mean payoffs a round of two memory-one tables (start, CC, CD, DC, DD), by propagating the Markov chain."""
    p, q = np.asarray(mine, float), np.asarray(other, float)
    q = q[[0, 1, 3, 2, 4]]  # the other's own move comes first in its table
    both = lambda a, b: np.stack([a * b, a * (1 - b), (1 - a) * b, (1 - a) * (1 - b)], -1)
    state, step = both(p[0], q[0]), both(p[1:], q[1:])
    visits = np.zeros(4)
    for _ in range(game.rounds):
        visits, state = visits + state, state @ step
    r, s, t, punished = (float(value) for value in game.rstp)
    share = visits / game.rounds
    return float(share @ [r, s, t, punished]), float(share @ [r, t, s, punished])


def keys(seed: int, count: int) -> np.ndarray:
    """uint32[count, 2]: the keys of the matches of a tournament."""
    return np.asarray(_keys(seeds.root(seed), count))


@functools.partial(jax.jit, static_argnums=1)  # jitted here, once: jitted inside the function above it would compile at every call
def _keys(root: jax.Array, count: int) -> jax.Array:
    return seeds.fold(root, "tournament", jnp.arange(count))


def _matrix(values: np.ndarray, row: np.ndarray, column: np.ndarray, shape: tuple[int, int, int]) -> np.ndarray:
    out = np.zeros(shape, np.float32)
    pairs = values.reshape(len(row), shape[2], 2)
    out[column, row], out[row, column] = pairs[..., 1], pairs[..., 0]
    return out
