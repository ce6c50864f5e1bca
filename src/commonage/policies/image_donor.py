"""Gives by what is known of the recipient: a linear rule on the trace, in whole per cent, which evolves over generations.

In kind the scoring of Nowak & Sigmund (1998) and the standing of Leimar & Hammerstein (2001), on shares instead of yes and no.
"""

from typing import Any

import jax.numpy as jnp
from jax import Array

from commonage.game import Legal
from commonage.policy import Policy


class ImageDonor(Policy):
    """Of a recipient that gave c1 last, and whose own recipient had given c2 before, it gives base + c1 slope + c2 second.

    Of one whose past it does not know, as always without a trace, it gives `first`. To both it adds `forward` times what
    itself received last. Where a donor may punish it pays `fine` times what is missing from c1 to 100, of a recipient that
    it knows and gives nothing. All in per cent, and cut to 0 to 100.
    """

    game = "donor"
    evolves = {
        "first": (0, 100), "base": (-100, 100), "slope": (-100, 100), "second": (-100, 100), "forward": (-100, 100), "fine": (0, 100),
    }  # fmt: skip

    first: int = 50
    base: int = 0
    slope: int = 100
    second: int = 0
    forward: int = 0
    fine: int = 0

    def check(self) -> None:
        for field, (low, high) in self.evolves.items():
            self.require(low <= getattr(self, field) <= high, field, f"per cent, {low}..{high}")

    def act(self, key: Array, memory: Any, sight: Any, legal: Legal) -> tuple[Array, Any]:
        known = sight.chain[0] != -1
        last, before, received = (jnp.maximum(share, 0) for share in (sight.chain[0], sight.chain[1], sight.received))
        share = jnp.where(known, self.base + (self.slope * last + self.second * before) // 100, self.first)
        share = share + self.forward * received // 100
        fine = jnp.where(known, self.fine * (100 - last) // 100, 0)
        return legal.nearest(jnp.where(sight.punishing, fine, share)), memory
