"""A part for `talk`: says the first signal, "I will cooperate", every time."""

from typing import Any

import jax.numpy as jnp
from jax import Array

from commonage.game import Legal
from commonage.policy import Policy


class Pledger(Policy):
    game = "talk"

    def act(self, key: Array, memory: Any, sight: Any, legal: Legal) -> tuple[Array, Any]:
        first = jnp.int32(2)  # after "nothing" and "in words"
        return jnp.where(legal.has(first), first, 0), memory  # without signals it has nothing to say
