"""Ways over a map, for scripted policies: how far it is to the nearest goal, and which move leads there."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from commonage.grid.kernel import BACK, FORWARD, LEFT, NOOP, RIGHT
from commonage.grid.maps import FACINGS

FAR = 2**20  # there is no way


def here(sight: Any, window: tuple[int, int, int]) -> tuple[Array, Array]:
    """(row and column int32[2], facing int32[]) of a seat in its own view: the whole map, or a window of `Grid.window`'s size.

    `sight` is the seat's own row. A window turns with the player, so there it always faces the first line.
    """
    ahead, behind, side = window
    if sight.view.shape == (ahead + behind + 1, 2 * side + 1):
        return jnp.array([ahead, side], jnp.int32), jnp.int32(0)
    return sight.at, sight.facing


def flood(goals: Array, open: Array, steps: int) -> Array:
    """int32[h, w]: steps to the nearest of `goals` bool[h, w] over cells that are `open` bool[h, w], one of four ways at a time.

    FAR where there is no way of at most `steps`. A goal need not be open itself.
    """

    def spread(loop: tuple[Array, Array, Array]) -> tuple[Array, Array, Array]:
        i, far, _ = loop
        after = jnp.where(open, jnp.minimum(far, _nearest(far) + 1), far)
        return i + 1, after, (after != far).any()

    first = (jnp.int32(0), jnp.where(goals, 0, FAR).astype(jnp.int32), goals.any())
    return jax.lax.while_loop(lambda loop: loop[2] & (loop[0] < steps), spread, first)[1]


def toward(distance: Array, at: Array, facing: Array) -> Array:
    """int32[]: the move of who stands `at` int32[2] that goes down in `distance` int32[h, w] the most; NOOP where none does.

    Of equal ways it takes the first of ahead, right, behind, left.
    """
    ways = (facing + np.arange(4)) & 3
    cells = at + jnp.asarray(FACINGS)[ways]
    inside = ((cells >= 0) & (cells < np.array(distance.shape))).all(1)
    near = jnp.where(inside, distance.at[cells[:, 0], cells[:, 1]].get(mode="clip"), FAR)
    move = jnp.array([FORWARD, RIGHT, BACK, LEFT], jnp.int32)[jnp.argmin(near)]
    return jnp.where(near.min() < distance[at[0], at[1]], move, NOOP)


def _nearest(far: Array) -> Array:
    """int32[h, w]: the least of the four neighbours of each cell."""
    wide = jnp.pad(far, 1, constant_values=FAR)
    north, south, west, east = wide[:-2, 1:-1], wide[2:, 1:-1], wide[1:-1, :-2], wide[1:-1, 2:]
    return jnp.minimum(jnp.minimum(north, south), jnp.minimum(west, east))
