"""For gathering: players share out the apples, the nearest pair of a player and an apple first, and each walks to its own."""

from typing import Any

import numpy as np
from jax import Array

from commonage.game import Legal
from commonage.grid.kernel import FLOOR
from commonage.grid.orchard import APPLE, around_in_view
from commonage.grid.paths import go, here, matched, seen
from commonage.policy import Policy

WINDOW = (15, 0, 10)  # the game's: cells seen ahead, behind, at each side


class AppleMatcher(Policy):
    """Whoever sees the whole map deals out the apples as everybody else does; whoever sees a part of it, among those whom it sees.

    Of equally near apples it takes the one with the most others around it.
    """

    game = "gathering"

    def act(self, key: Array, memory: Any, sight: Any, legal: Legal) -> tuple[Array, Any]:
        at, facing = here(sight, WINDOW)
        apples, places = sight.view == APPLE, seen(sight, WINDOW)
        mine = matched(apples, places, places[:, 0] >= 0, around_in_view(apples))[sight.seat]
        goal = (np.indices(apples.shape) == mine[:, None, None]).all(0)
        return go(key, goal, apples | (sight.view == FLOOR), at, facing), memory
