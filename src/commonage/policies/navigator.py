"""Names the right way in the maze with probability `skill`, else one of the three others; may follow what the other named."""

from typing import Any

import jax.numpy as jnp
from jax import Array

from commonage import seeds
from commonage.game import Legal
from commonage.grid.maze import WAIT, WALL, way_to
from commonage.policy import Policy


class Navigator(Policy):
    """A player of known skill. The right way: the first on a shortest path of what it sees, hidden cells taken for free.

    `trust`: the probability with which it names what the other has named in this round, where it hears that (`order=turn`).
    """

    game = "maze"

    skill: float = 1.0
    trust: float = 0.0

    def check(self) -> None:
        for field in ("skill", "trust"):
            self.require(0 <= getattr(self, field) <= 1, field, "between 0 and 1")

    def act(self, key: Array, memory: Any, sight: Any, legal: Legal) -> tuple[Array, Any]:
        right = way_to(sight.grid == WALL, sight.goal, sight.place)
        slip = (right + 1 + seeds.below(seeds.fold(key, 0), 3)) % WAIT
        own = jnp.where(seeds.chance(seeds.fold(key, 1), self.skill), right, slip)
        follows = (sight.proposed >= 0) & (sight.proposed < WAIT) & seeds.chance(seeds.fold(key, 2), self.trust)
        return jnp.where(follows, sight.proposed, own).astype(jnp.int32), memory
