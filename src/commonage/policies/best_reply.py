"""Best replies to what the rivals did last (Cournot 1838): from the joint monopoly it walks to the Nash equilibrium."""

from typing import Any

import jax.numpy as jnp
from jax import Array

from commonage.game import Legal
from commonage.policy import Policy


class BestReply(Policy):
    game = "market"

    def act(self, key: Array, memory: Any, sight: Any, legal: Legal) -> tuple[Array, Any]:
        return jnp.where(sight.reply < 0, sight.monopoly, sight.reply), memory
