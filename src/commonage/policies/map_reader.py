"""Waits in the maze until the other has told its copy, strip by strip (`map_teller`), then walks a shortest path of both."""

from typing import Any

import jax.numpy as jnp
from jax import Array

from commonage.game import Legal
from commonage.grid.maze import LARGEST, WAIT, WALL, way_to
from commonage.policies.map_teller import STRIP, strips
from commonage.policy import Policy


class MapReader(Policy):
    """Round r tells strip r. Two of them know the same map, break ties alike, and so always agree.

    Without talk it sees only its own copy, and takes what is hidden for free.
    """

    game = "maze"
    sees = ("talk",)

    def start(self) -> Array:
        return jnp.zeros(strips(LARGEST), jnp.int32)  # int32[strips]: the walls of each that were told, as bits

    def act(self, key: Array, memory: Array, sight: Any, legal: Legal, talk: Any) -> tuple[Array, Array]:
        size = sight.grid.shape[0]
        if talk is not None:
            told = jnp.maximum(talk.heard - 2, 0)  # after "nothing" and "in words"
            strip = jnp.arange(memory.shape[0]) == sight.clock
            memory = jnp.where(strip, jnp.bitwise_or.reduce(told), memory)
        bits = (memory[:, None] >> jnp.arange(STRIP)) & 1
        walls = (sight.grid == WALL) | (bits.reshape(-1)[: size * size].reshape(size, size) == 1)
        ready = (sight.clock >= strips(size) - 1) | (talk is None)
        return jnp.where(ready, way_to(walls, sight.goal, sight.place), WAIT).astype(jnp.int32), memory
