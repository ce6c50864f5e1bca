"""For the harvest: walks to the nearest apple that it sees and eats it, whatever is left of the patch."""

from typing import Any

from jax import Array

from commonage.game import Legal
from commonage.grid.game import Grid
from commonage.grid.kernel import FLOOR
from commonage.grid.orchard import APPLE
from commonage.grid.paths import go, here
from commonage.policy import Policy


class NearestApple(Policy):
    game = "harvest"

    def act(self, key: Array, memory: Any, sight: Any, legal: Legal) -> tuple[Array, Any]:
        at, facing = here(sight, Grid.window)
        apples = sight.view == APPLE
        return go(key, apples, apples | (sight.view == FLOOR), at, facing), memory
