"""A part for `talk`: says the first signal, "I will cooperate", every time; hands the floor to who said nothing yet."""

from typing import Any

import jax.numpy as jnp
from jax import Array

from commonage.game import Legal
from commonage.policy import Policy


class Pledger(Policy):
    """On an open floor it names the first seat that said nothing in this talk; nobody when there is none."""

    game = "talk"

    def act(self, key: Array, memory: Any, sight: Any, legal: Legal) -> tuple[Array, Any]:
        first = jnp.int32(2)  # after "nothing" and "in words"
        says = jnp.where(legal.has(first), first, 0)  # without signals it has nothing to say
        silent = legal.among(len(sight.heard) + 1)[1:] & (sight.heard == 0)
        names = jnp.where(silent.any(), 1 + jnp.argmax(silent), 0)
        return jnp.where(sight.asked == 0, says, names), memory
