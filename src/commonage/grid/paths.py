"""Ways over a map, for scripted policies: how far it is to the nearest goal, and which move leads there."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from commonage import seeds
from commonage.grid.kernel import BACK, FORWARD, LEFT, NOOP, RIGHT, TURN_LEFT, TURN_RIGHT
from commonage.grid.maps import FACINGS

FAR = 2**20  # there is no way


def here(sight: Any, window: tuple[int, int, int]) -> tuple[Array, Array]:
    """(row and column int32[2], facing int32[]) of a seat in its own view: the whole map, or a window of this size.

    `sight` is the seat's own row, `window` its game's. A window turns with the player, so there it faces the first line.
    """
    if _whole(sight, window):
        return sight.at, sight.facing
    return jnp.array([window[0], window[2]], jnp.int32), jnp.int32(0)


def seen(sight: Any, window: tuple[int, int, int]) -> Array:
    """int32[seats, 2]: row and column in a seat's own view of everybody whom it sees, itself among them; -1 of others."""
    ahead, right = relative(sight)
    places = sight.players[:, :2] if _whole(sight, window) else here(sight, window)[0] + jnp.stack([-ahead, right], 1)
    return jnp.where(sight.players[:, :1] < 0, -1, places)


def relative(sight: Any) -> tuple[Array, Array]:
    """(how far ahead int32[seats], how far to the right) of a seat everybody is; of who is not seen it means nothing."""
    south, east = (sight.players[:, :2] - sight.at).T
    ways = jnp.stack([-south, east, south, -east])
    return ways[sight.facing], ways[(sight.facing + 1) & 3]


def _whole(sight: Any, window: tuple[int, int, int]) -> bool:
    ahead, behind, side = window
    return sight.view.shape != (ahead + behind + 1, 2 * side + 1)


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


def go(key: Array, goals: Array, open: Array, at: Array, facing: Array) -> Array:
    """int32[]: the move to the nearest of `goals` bool[h, w] over `open` cells bool[h, w]; where there is no way it roams."""
    move = toward(flood(goals, open, open.size), at, facing)
    return jnp.where((move == NOOP) & ~goals[at[0], at[1]], roam(key, open, at, facing), move)


def roam(key: Array, open: Array, at: Array, facing: Array) -> Array:
    """int32[]: forward over `open` cells bool[h, w], with a turn where that is barred, and now and then elsewhere."""
    row, column = at + jnp.asarray(FACINGS)[facing]
    clear = jnp.asarray(open).at[row, column].get(mode="fill", fill_value=False) & seeds.chance(seeds.fold(key, "go on"), 0.9)
    turn = jnp.where(seeds.chance(seeds.fold(key, "which way"), 0.5), TURN_LEFT, TURN_RIGHT)
    return jnp.where(clear, FORWARD, turn)


def _nearest(far: Array) -> Array:
    """int32[h, w]: the least of the four neighbours of each cell."""
    wide = jnp.pad(far, 1, constant_values=FAR)
    north, south, west, east = wide[:-2, 1:-1], wide[2:, 1:-1], wide[1:-1, :-2], wide[1:-1, 2:]
    return jnp.minimum(jnp.minimum(north, south), jnp.minimum(west, east))


def stride(at: Array, facing: Array, goal: Array) -> Array:
    """int32[]: the step, as one faces, that leads from a cell straight to another, both (row, column); NOOP at the goal.

    It goes along the longer way first, and sees no walls.
    """
    south, east = goal[0] - at[0], goal[1] - at[1]
    upright = jnp.abs(south) > jnp.abs(east)
    direction = jnp.where(upright, jnp.where(south < 0, 0, 2), jnp.where(east > 0, 1, 3))
    return jnp.where((south == 0) & (east == 0), NOOP, way(direction, facing))


def way(direction: Array, facing: Array) -> Array:
    """int32[]: the step to the north, east, south or west of who faces there."""
    return jnp.array([FORWARD, RIGHT, BACK, LEFT])[(direction - facing) & 3]


def matched(goals: Array, places: Array, who: Array, liked: Array | int = 0) -> Array:
    """int32[n, 2]: for each of n places (row, column) its own of the goals, bool[rows, columns]; -1 where it has none.

    The nearest pair first, then the nearest of the others; `who` bool[n]: who takes part. Of equally near goals one that is
    `liked` more, 0..15 of each cell.
    """
    rows, columns = np.indices(goals.shape, np.int32)
    away = jnp.abs(places[:, 0, None, None] - rows) + jnp.abs(places[:, 1, None, None] - columns)
    away = 16 * away - jnp.asarray(liked, jnp.int32)
    away = jnp.where(goals & who[:, None, None], away, FAR).reshape(len(places), -1)

    def pair(_: Array, so_far: tuple[Array, Array]) -> tuple[Array, Array]:
        away, chosen = so_far
        best = jnp.argmin(away)
        one, cell = best // away.shape[1], best % away.shape[1]
        found = away.ravel()[best] < FAR
        chosen = jnp.where(found & (jnp.arange(len(places)) == one), cell, chosen)
        return away.at[one].set(FAR).at[:, cell].set(FAR), chosen

    none = jnp.full(len(places), -1)
    chosen = jax.lax.fori_loop(0, len(places), pair, (away, none))[1]
    return jnp.where(chosen[:, None] < 0, -1, jnp.stack([chosen // goals.shape[1], chosen % goals.shape[1]], -1))


def sidestep(key: Array, move: Array, chance: Array | float) -> Array:
    """int32[]: the move; where it is a step, with this probability one to the left or the right instead."""
    aside = (move >= FORWARD) & (move <= RIGHT) & seeds.chance(key, chance)
    return jnp.where(aside, jnp.where(seeds.chance(seeds.fold(key, "side"), 0.5), LEFT, RIGHT), move).astype(jnp.int32)
