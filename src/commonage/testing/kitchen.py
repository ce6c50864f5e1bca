"""Traces of a kitchen held against ours."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jax
import numpy as np

from commonage import seeds
from commonage.games.kitchen import Kitchen
from commonage.games.kitchen.trace import Episode, Rows, read, world

CHUNK = 4096  # transitions in one call: it is compiled once for all files of one layout


def replay_kitchen(path: str | Path, whole: bool = False) -> int:
    """In how many transitions of a trace the state, the sparse or the shaped reward differs from ours.

    Each is played from its recorded state, which places an error. `whole`: each episode is played from its start by
    its moves alone, and a step counts where it has drifted from the record. Raises LogError for a damaged file, which says where.
    """
    game, episodes = read(Path(path))
    return sum(_drift(game, episode) for episode in episodes) if whole else _differences(game, episodes)


def _differences(game: Kitchen, episodes: list[Episode]) -> int:
    if not episodes:
        return 0
    join = lambda parts: jax.tree.map(lambda *leaves: np.concatenate(leaves), *parts)
    before = join([jax.tree.map(lambda leaf: leaf[:-1], one.states) for one in episodes])
    after = join([jax.tree.map(lambda leaf: leaf[1:], one.states) for one in episodes])
    moves, sparse, shaped = (join([getattr(one, name) for one in episodes]) for name in ("moves", "sparse", "shaped"))
    total = 0
    for first in range(0, len(moves), CHUNK):
        cut = lambda tree: jax.tree.map(lambda leaf: leaf[first : first + CHUNK], tree)  # noqa: B023
        total += int(_wrong(_played(game, cut(before), cut(moves)), cut(after), cut(sparse), cut(shaped)).sum())
    return total


def _played(game: Kitchen, states: Rows, moves: np.ndarray) -> Any:
    """The worlds after these moves; filled up to a chunk."""
    count = len(moves)
    fill = lambda leaf: np.concatenate([leaf, np.zeros((CHUNK - count, *leaf.shape[1:]), leaf.dtype)])
    worlds = _step(game, jax.tree.map(fill, states), fill(moves))
    return jax.tree.map(lambda leaf: np.asarray(leaf)[:count], worlds)


@jax.jit
def _step(game: Kitchen, states: Rows, moves: Any) -> Any:
    one = lambda row, move: game.step(seeds.root(0), world(game, row), move).state
    return jax.vmap(one)(states, moves)


def _wrong(worlds: Any, after: Rows, sparse: np.ndarray, shaped: np.ndarray) -> Any:
    """bool[n]: which differ."""
    same = np.isclose(worlds.sparse, sparse).all(1) & np.isclose(worlds.shaped, shaped).all(1)
    fields = [(getattr(worlds, name) == leaf).reshape(len(leaf), -1).all(1) for name, leaf in after._asdict().items()]
    return np.stack([~row for row in (same, *fields)]).any(0)


def _drift(game: Kitchen, episode: Episode) -> int:
    """Steps that differ when the moves are played from the start on."""
    start = jax.tree.map(lambda leaf: leaf[0], episode.states)
    worlds = jax.device_get(_play(game, start, episode.moves))
    after = jax.tree.map(lambda leaf: leaf[1:], episode.states)
    return int(_wrong(worlds, after, episode.sparse, episode.shaped).sum())


@jax.jit
def _play(game: Kitchen, start: Rows, moves: Any) -> Any:
    def step(now: Any, row: Any) -> Any:
        now = game.step(seeds.root(0), now, row).state
        return now, now

    return jax.lax.scan(step, world(game, start), moves)[1]
