"""Eats the nearest apple that it sees, else walks to where apples grow: the free rider of Cleanup (Hughes et al. 2018)."""

from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import Array

from commonage import seeds
from commonage.game import Legal
from commonage.grid import kernel, maps, paths
from commonage.grid.game import Grid
from commonage.grid.orchard import APPLE
from commonage.part import static
from commonage.policy import Policy


class Forager(Policy):
    map: str = static(default="cleanup")  # the game's
    game = "cleanup"

    def check(self) -> None:
        self.require(self.map in maps.names(), "map", f"one of {', '.join(maps.names())}")

    def act(self, key: Array, memory: Any, sight: Any, legal: Legal) -> tuple[Array, Any]:
        return paths.sidestep(key, seek(key, sight, APPLE, maps.load(self.map), "apple"), 0.05), memory


def seek(key: Array, sight: Any, code: int, ground: maps.Map, kind: str) -> Array:
    """int32[]: the move to the nearest cell with this code, around walls and players, or to the middle of its kind on the map."""
    at, facing = paths.here(sight, Grid.window)
    lines, columns = np.indices(sight.view.shape)
    mine = (lines == at[0]) & (columns == at[1])  # what is under its feet is no goal
    goals = (sight.view % kernel.WHO == code) & ~mine
    away = paths.flood(goals, mine | ((sight.view != kernel.WALL) & (sight.view < kernel.WHO)), 40)
    rows, columns = np.divmod(np.flatnonzero(ground.kinds[kind]), ground.width)
    home = jnp.stack([jnp.int32(round(rows.mean())), jnp.clip(sight.at[1], columns.min(), columns.max())])
    found = away[at[0], at[1]] < paths.FAR
    walk = paths.stride(sight.at, sight.facing, home)
    about = jnp.where(seeds.chance(seeds.fold(key, "about"), 0.3), kernel.TURN_RIGHT, kernel.FORWARD)
    move = jnp.where(found, paths.toward(away, at, facing), walk)
    return jnp.where(move == kernel.NOOP, about, move)
