"""Takes turns at cleaning and shares the apples out: a ceiling of Cleanup where everybody sees the whole map.

Those on duty clean; the others go for the apples, each for another one, the nearest pairs first; who finds none cleans too
while much is dirty. All know the same and decide alike, so that nobody has to talk.
"""

from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import Array

from commonage.errors import SpecError
from commonage.game import Legal
from commonage.grid import kernel, paths
from commonage.grid.orchard import APPLE, CLEAN, DIRT, WATER
from commonage.part import static
from commonage.policy import Policy


class Rota(Policy):
    """`cleaners` at a time, for `shift` steps each; with `shift` 0 always the same. `length` and `through` are the beam's."""

    cleaners: int = 2
    shift: int = 100
    reserve: float = 0.25  # the dirty part of the river above which those without an apple clean
    worth: int = 2  # dirty cells for which the beam is used
    length: int = static(default=3)
    through: bool = static(default=False)
    aside: float = 0.03  # how often one who walks steps aside instead, so that two who stand in each other's way come by
    game = "cleanup"

    def check(self) -> None:
        self.require(self.cleaners >= 1, "cleaners", "at least 1")
        self.require(self.shift >= 0, "shift", "at least 0")
        self.require(0 <= self.reserve <= 1, "reserve", "between 0 and 1")
        self.require(self.worth >= 1, "worth", "at least 1")
        self.require(0 <= self.aside <= 1, "aside", "between 0 and 1")
        self.require(1 <= self.length <= 20, "length", "between 1 and 20")

    def act(self, key: Array, memory: Any, sight: Any, legal: Legal) -> tuple[Array, Any]:
        if sight.view.shape == (11, 11):
            raise SpecError("rota: it plans with the whole map; play cleanup(whole=true)")
        ground, seats = sight.view % kernel.WHO, len(sight.players)
        turn = jnp.where(self.shift > 0, sight.clock // jnp.maximum(self.shift, 1), 0)
        rank = (jnp.arange(seats) - turn * self.cleaners) % seats  # those below `cleaners` are on duty
        eaters = (rank >= self.cleaners) & (sight.players[:, 0] >= 0)
        apple = paths.matched(ground == APPLE, sight.players[:, :2], eaters)[sight.seat]
        dirty = (ground == DIRT).sum()
        helps = dirty > self.reserve * (dirty + (ground == WATER).sum())
        clean = ~eaters[sight.seat] | ((apple[0] < 0) & helps)
        goal = jnp.where(apple[0] < 0, sight.at, apple)
        move = jnp.where(clean, self._clean(ground == DIRT, sight, rank[sight.seat]), paths.stride(sight.at, sight.facing, goal))
        return paths.sidestep(key, move, self.aside), memory

    def _clean(self, dirt: Array, sight: Any, rank: Array) -> Array:
        """To where, in its own part of the river, a beam finds most, near places first; then it faces that way."""
        found = jnp.stack([self._hits(dirt, facing) for facing in range(4)])
        rows, columns = np.indices(dirt.shape)
        along, size = (rows, dirt.shape[0]) if dirt.shape[0] > dirt.shape[1] else (columns, dirt.shape[1])
        own = (along * self.cleaners // size == rank) | (rank >= self.cleaners)
        away = jnp.abs(rows - sight.at[0]) + jnp.abs(columns - sight.at[1])
        best = jnp.argmax(jnp.where(own, 4 * jnp.minimum(found.max(0), 6) - away, -paths.FAR))
        goal = jnp.stack([best // dirt.shape[1], best % dirt.shape[1]])
        here = found[:, sight.at[0], sight.at[1]]
        turn = jnp.where((jnp.argmax(here) - sight.facing) & 3 == 3, kernel.TURN_LEFT, kernel.TURN_RIGHT)
        act = jnp.where(here[sight.facing] >= self.worth, CLEAN, turn)
        return jnp.where(here.max() >= self.worth, act, paths.stride(sight.at, sight.facing, goal))

    def _hits(self, dirt: Array, facing: int) -> Array:
        """int32[rows, columns]: how many dirty cells a beam from each cell that faces there cleans."""
        turned = jnp.rot90(dirt, facing)  # so that it goes north
        high = jnp.pad(turned, ((self.length, 0), (1, 1)))
        lines = jnp.stack([high[self.length - far : high.shape[0] - far] for far in range(self.length + 1)]).astype(jnp.int32)
        middle, beside = lines[1:], lines[1:] if self.through else lines[:-1]
        middle, beside = (some.sum(0) if self.through else some.max(0) for some in (middle, beside))
        return jnp.rot90(beside[:, :-2] + middle[:, 1:-1] + beside[:, 2:], -facing)
