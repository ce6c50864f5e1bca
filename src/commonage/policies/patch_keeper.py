"""For the harvest: eats only apples that have others around them, so that every patch lives on."""

from typing import Any

from jax import Array

from commonage.game import Legal
from commonage.grid.game import Grid
from commonage.grid.kernel import FLOOR, WHO
from commonage.grid.orchard import APPLE, around_in_view
from commonage.grid.paths import go, here
from commonage.policy import Policy


class PatchKeeper(Policy):
    """Walks to the nearest apple with at least `least` others within distance 2, as far as it sees, and around all others."""

    game = "harvest"

    least: int = 3

    def check(self) -> None:
        self.require(0 <= self.least <= 12, "least", "between 0 and 12")

    def act(self, key: Array, memory: Any, sight: Any, legal: Legal) -> tuple[Array, Any]:
        at, facing = here(sight, Grid.window)
        spare = (sight.view == APPLE) & (around_in_view(sight.view % WHO == APPLE) >= self.least)
        return go(key, spare, spare | (sight.view == FLOOR), at, facing), memory
