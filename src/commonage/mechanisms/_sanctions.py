"""What fines have in common: what they took in the last step, and what a seat was fined after the last round; not a mechanism."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
from jax import Array

from commonage.game import Turn
from commonage.mechanism import Phased, Phases


class Sanctions(Phased):
    """Its own arrays have `spent`, `fined` and `before`, each float32[seats]; a collapse completes its round, so fines follow it."""

    closing = True

    def played(self, key: Array, state: Phases, turn: Turn) -> tuple[Any, Array]:
        zero = jnp.zeros(self.seats, jnp.float32)
        return state.own._replace(before=jnp.where(turn.round_over, zero, state.own.before)), zero

    def rest(self, state: Phases) -> Phases:
        zero = jnp.zeros(self.seats, jnp.float32)
        return super().rest(state)._replace(own=state.own._replace(spent=zero, fined=zero))

    def numbers(self, state: Phases) -> dict[str, Array]:
        return {"spent": state.own.spent, "fined": state.own.fined}
