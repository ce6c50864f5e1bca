"""Takes out its equal share of the trash that must go."""

from typing import Any

from jax import Array

from commonage.game import Legal
from commonage.policy import Policy


class FairRemover(Policy):
    game = "trash"

    def act(self, key: Array, memory: Any, sight: Any, legal: Legal) -> tuple[Array, Any]:
        return legal.nearest(sight.share), memory
