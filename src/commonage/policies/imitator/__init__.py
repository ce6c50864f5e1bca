"""Plays like those whose matches it was made from: `commonage imitate` learns it from trajectories (behaviour cloning)."""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from commonage import seeds
from commonage.errors import SpecError
from commonage.game import Legal
from commonage.grid import errands
from commonage.grid.kitchen import MOVES, POT, ROOM, SOUP, count, kind, load
from commonage.part import static
from commonage.policies.imitator.network import logits, read
from commonage.policy import Policy

SOON = 20.0  # steps: a pot's time counts up to them


class Memory(NamedTuple):
    last: Array  # int32[3]: where it stood, what it faced and held
    still: Array  # int32[]: steps since one of them was another


class Imitator(Policy):
    """A proxy for people: in a kitchen it draws each move as they would have, by a network that was fitted to their moves.

    `file` is what `commonage imitate` wrote. Where nothing of its own has changed for `stuck` steps it makes any move, as the proxy of
    Carroll et al. (2019) does: it has not learned to get free of a partner who stands in its way. 0: never.
    """

    game = "kitchen"

    file: str = static(default="")
    stuck: int = 3

    def check(self) -> None:
        self.require(self.stuck >= 0, "stuck", "at least 0")
        if self.file:
            read(self.file)

    def reads(self) -> tuple[str, ...]:
        return (self.file,) if self.file else ()

    def start(self) -> Memory:
        return Memory(jnp.full(3, -1, jnp.int32), jnp.int32(0))

    def act(self, key: Array, memory: Memory, sight: Any, legal: Legal) -> tuple[Array, Memory]:
        self.require(bool(self.file), "file", "what `commonage imitate` wrote, as in imitator(file=people.npz)")
        imitated = read(self.file)
        if sight.things.shape != load(imitated.layout).terrain.shape or sight.at.shape != (len(load(imitated.layout).starts),):
            raise SpecError(f"imitator(file={self.file!r}): it was learned in kitchen(layout={imitated.layout!r}), and this is another")
        sight = jax.tree.map(jnp.asarray, sight)
        now = jnp.stack([rows[sight.seat] for rows in (sight.at, sight.facing, sight.held)]).astype(jnp.int32)
        still = jnp.where((now == memory.last).all(), memory.still + 1, 0)
        lost = (self.stuck > 0) & (still >= self.stuck)
        likely = logits(imitated.network, features(imitated.layout, imitated.starts, sight))
        drawn = jnp.argmax(likely - jnp.log(-jnp.log(seeds.uniform(seeds.fold(key, "move"), (len(MOVES),)))))
        move = jnp.where(lost, seeds.below(seeds.fold(key, "any"), len(MOVES)), drawn)
        return move.astype(jnp.int32), Memory(now, jnp.where(lost, 0, still).astype(jnp.int32))


def features(layout: str, starts: bool, sight: Any) -> Array:
    """float32[features] of one seat's row of the kitchen's sight: the moves that lead to each errand, of everybody what they hold and where
    they face, where the others are from here, and how far each pot is."""
    kitchen, me = load(layout), sight.seat
    steps = errands.leads(layout, starts, me, sight.at, sight.facing, sight.held, sight.things, sight.left)
    ways = jax.nn.one_hot(steps.move, len(MOVES)) * steps.possible[:, None]
    order = (np.arange(len(sight.at)) + me) % len(sight.at)  # myself first
    at, facing, holds = sight.at[order], jax.nn.one_hot(sight.facing[order], 4), jax.nn.one_hot(kind(sight.held[order]), SOUP + 1)
    rows, columns = at // kitchen.width, at % kitchen.width
    apart = jnp.concatenate([(rows - rows[0])[1:] / kitchen.height, (columns - columns[0])[1:] / kitchen.width])
    pots = kitchen.cells(POT)
    filled, left = count(sight.things[pots]) / ROOM, sight.left[pots]
    cooks, soon = left >= 0, jnp.clip(left, 0, SOON) / SOON
    mine = jax.nn.one_hot(jnp.searchsorted(kitchen.cells(0), at[0]), len(kitchen.cells(0)))  # the cell of floor where I stand
    parts = (ways, facing, holds, apart, filled, cooks, soon, mine, jax.nn.one_hot(me, len(sight.at)))
    return jnp.concatenate([jnp.ravel(part).astype(jnp.float32) for part in parts])
