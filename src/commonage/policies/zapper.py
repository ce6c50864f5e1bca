"""For gathering: fires at whoever stands before it, turns to whoever stands in line with it, and else eats."""

from typing import Any

import jax.numpy as jnp
from jax import Array

from commonage.game import Legal
from commonage.grid.kernel import FLOOR, TURN_LEFT, TURN_RIGHT
from commonage.grid.orchard import APPLE, ZAP
from commonage.grid.paths import go, here, relative
from commonage.policies.apple_matcher import WINDOW
from commonage.policy import Policy


class Zapper(Policy):
    """It minds those who are at most `reach` cells away; when there is nobody, it walks to the nearest apple."""

    game = "gathering"

    reach: int = 20

    def check(self) -> None:
        self.require(self.reach >= 1, "reach", "at least 1")

    def act(self, key: Array, memory: Any, sight: Any, legal: Legal) -> tuple[Array, Any]:
        ahead, right = relative(sight)
        there = (sight.players[:, 0] >= 0) & (abs(ahead) + abs(right) <= self.reach)
        before, aside, behind = (there & line for line in ((right == 0) & (ahead > 0), ahead == 0, (right == 0) & (ahead < 0)))
        at, facing = here(sight, WINDOW)
        apples = sight.view == APPLE
        move = go(key, apples, apples | (sight.view == FLOOR), at, facing)
        move = jnp.where(behind.any() | (aside & (right > 0)).any(), TURN_RIGHT, move)
        move = jnp.where((aside & (right < 0)).any(), TURN_LEFT, move)
        return jnp.where(before.any() & (sight.own.wait[0] == 0), ZAP, move), memory
