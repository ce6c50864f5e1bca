"""Mazes: ways, distances, and the next step to a goal. For the game, and for who plays it."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

WAYS = ("north", "east", "south", "west", "wait")
WAIT = 4
STEPS = np.array([(-1, 0), (0, 1), (1, 0), (0, -1), (0, 0)], np.int32)  # rows go south, columns east
FLOOR, WALL, HIDDEN = 0, 1, 2
LARGEST = 8  # cells on a side


def neighbour(place: Array, way: Array, size: int) -> tuple[Array, Array]:
    """(int32[] the cell one step from a place, bool[] whether it is on the map); the place itself where it is not."""
    row, column = place // size + jnp.asarray(STEPS)[way, 0], place % size + jnp.asarray(STEPS)[way, 1]
    there = (row >= 0) & (row < size) & (column >= 0) & (column < size)
    return jnp.where(there, row * size + column, place).astype(jnp.int32), there


def distances(walls: Array, goal: Array, reach: int) -> Array:
    """int32[size, size]: steps from each cell to the goal, breadth first; size^2 where it is more than `reach`."""
    size = walls.shape[0]
    far = size * size
    first = jnp.where(jnp.arange(far).reshape(size, size) == goal, 0, far).astype(jnp.int32)

    def widens(loop: tuple[Array, Array, Array]) -> tuple[Array, Array, Array]:
        i, _, found = loop
        around = jnp.pad(found, 1, constant_values=far)
        near = jnp.minimum(jnp.minimum(around[:-2, 1:-1], around[2:, 1:-1]), jnp.minimum(around[1:-1, :-2], around[1:-1, 2:]))
        return i + 1, found, jnp.where(walls, far, jnp.minimum(found, near + 1))

    more = lambda loop: (loop[0] < reach) & (loop[1] != loop[2]).any()
    return jax.lax.while_loop(more, widens, (jnp.int32(0), first - 1, first))[2]


def way_to(walls: Array, goal: Array, place: Array) -> Array:
    """int32[]: the first of the ways, in their order, that lies on a shortest path; WAIT where there is none."""
    size = walls.shape[0]
    left = distances(walls, goal, size * size).reshape(-1)
    to, there = neighbour(place, jnp.arange(WAIT), size)
    after = jnp.where(there, left[to], size * size)
    return jnp.where(after.min() < size * size, jnp.argmin(after), WAIT).astype(jnp.int32)
