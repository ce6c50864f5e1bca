"""Sells as the joint monopoly until a rival is keener than that, then as in Nash for ever: grim trigger (Friedman 1971)."""

from typing import Any

import jax.numpy as jnp
from jax import Array

from commonage.game import Legal
from commonage.policy import Policy


class Cartel(Policy):
    game = "market"

    def start(self) -> Array:
        return jnp.array(False)  # somebody broke it

    def act(self, key: Array, memory: Array, sight: Any, legal: Legal) -> tuple[Array, Array]:
        keen = jnp.sign(sight.nash - sight.monopoly)  # -1: a lower price is keener; 1: a larger quantity is
        keener = (keen * (sight.rivals - sight.monopoly) > 0) & (sight.rivals >= 0)
        broken = memory | keener.any()
        return jnp.where(broken, sight.nash, sight.monopoly), broken
