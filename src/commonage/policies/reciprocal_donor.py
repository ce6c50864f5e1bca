"""Gives the share that its recipient gave last: downstream indirect reciprocity (Nowak & Sigmund 2005)."""

from typing import Any

import jax.numpy as jnp
from jax import Array

from commonage.policy import Policy, nearest


class ReciprocalDonor(Policy):
    """`first`: per cent for a recipient of whom it knows nothing, as in the first round or without a trace."""

    game = "donor"

    first: int = 50

    def act(self, key: Array, memory: Any, sight: Any, legal: Array) -> tuple[Array, Any]:
        known = sight.chain[0] >= 0
        return nearest(legal, jnp.where(known, sight.chain[0], self.first)), memory
