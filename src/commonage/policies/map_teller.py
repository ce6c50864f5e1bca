"""A part for `talk` in the maze: in round r it says which of the cells of strip r, three in reading order, are walls on its copy.

It needs talk before the rounds with eight signals, from no wall to all three: the n-th says n, bit i the i-th cell.
"""

from typing import Any

import jax.numpy as jnp
from jax import Array

from commonage.game import Legal
from commonage.grid.maze import WALL
from commonage.policy import Policy

STRIP = 3  # cells


def strips(size: int) -> int:
    """How many strips cover a map."""
    return -(-size * size // STRIP)


class MapTeller(Policy):
    """Says nothing once all is told, or where the talk has not the signals, or the game no map."""

    game = "talk"
    sees = ("maze",)

    def act(self, key: Array, memory: Any, sight: Any, legal: Legal, maze: Any) -> tuple[Array, Any]:
        if maze is None:
            return jnp.int32(0), memory
        count = strips(maze.grid.shape[0])
        cells = jnp.pad((maze.grid == WALL).reshape(-1), (0, count * STRIP - maze.grid.size))
        told = (cells.reshape(count, STRIP) << jnp.arange(STRIP)).sum(-1)
        says = 2 + told[jnp.minimum(maze.clock, count - 1)]  # after "nothing" and "in words"
        return jnp.where((maze.clock < count) & legal.has(says), says, 0).astype(jnp.int32), memory
