"""Takes only coins of its own colour in the room of `coins`, and walks around the other's: the cooperator there."""

from __future__ import annotations

from typing import Any

from jax import Array

from commonage.game import Legal
from commonage.grid.kernel import WALL, WHO
from commonage.policies.coin_grabber import OTHERS, OWN, seek
from commonage.policy import Policy


class CoinMatcher(Policy):
    game = "coins"

    def act(self, key: Array, memory: Any, sight: Any, legal: Legal) -> tuple[Array, Any]:
        lies = sight.view % WHO
        return seek(sight, lies == OWN, (lies != WALL) & (lies != OTHERS)), memory
