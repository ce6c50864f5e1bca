"""A part for `norm`: proposes a limit, copies that of whoever does better, and learns from the stock (after Gupta et al. 2025)."""

from typing import Any, NamedTuple

import jax.numpy as jnp
from jax import Array

from commonage.game import Legal
from commonage.part import static
from commonage.policies.norm_follower import HIGH, LOW, natured, peers, trait
from commonage.policy import Policy


class Memory(NamedTuple):
    limit: Array  # int32[]: the norm that it wants, -1 not drawn yet
    stock: Array  # int32[]: what it saw when it was last asked, -1 nothing


class NormProposer(Policy):
    """Altruistic: the limit that it wants is drawn in 0..40 at first; selfish: in 60..100. Copying and slips as in `norm_follower`.

    Whenever it is asked it wants `step` less if the stock of a `pool` fell since it was last asked, `step` more if it rose. It
    votes for what is nearer to its own wish than the norm that there is.
    """

    game = "norm"
    sees = ("imitation", "pool")

    nature: str = static(default="selfish")
    step: int = 5
    error: int = 5

    def check(self) -> None:
        natured(self)
        self.require(self.step >= 0, "step", "at least 0")

    def start(self) -> Memory:
        return Memory(jnp.int32(-1), jnp.int32(-1))

    def act(self, key: Array, memory: Memory, sight: Any, legal: Legal, imitation: Any = None, pool: Any = None) -> tuple[Array, Memory]:
        bounds = LOW if self.nature == "altruistic" else HIGH
        wish = trait(key, memory.limit, bounds, peers(imitation, "norm", 0), self.error)
        stock = memory.stock if pool is None else pool.stock
        learns = jnp.where(memory.stock < 0, 0, jnp.sign(stock - memory.stock) * self.step)
        wish = jnp.clip(wish + learns, 0, 100)
        likes = jnp.abs(sight.offer - wish) < jnp.abs(sight.limit - wish)
        return legal.nearest(jnp.where(sight.asked == 0, wish, likes)).astype(jnp.int32), Memory(wish, stock)
