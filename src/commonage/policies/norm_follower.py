"""A rule-based seat of the common pool: copies whoever does better, and gives way to the norm (after Gupta et al. 2025).

Its strategy is what it does in each layer: this part's effort, `norm_keeper`'s monitoring, `norm_proposer`'s proposals. Each part holds
its own numbers, and copies those of a peer that `imitation` shows.
"""

from typing import Any, NamedTuple

import jax.numpy as jnp
from jax import Array

from commonage import seeds
from commonage.game import Legal
from commonage.part import static
from commonage.policy import Policy

LOW, HIGH = (0, 40), (60, 100)  # per cent, where numbers are drawn from at the start, all equally likely
SPREAD = 10  # per cent: how far a slip leads, at most


class Memory(NamedTuple):
    effort: Array  # int32[]: per cent, -1 not drawn yet
    weight: Array  # int32[]: per cent of what is too much that it gives up, -1 not drawn yet


class NormFollower(Policy):
    """Altruistic: effort drawn in 0..40 at first, weight of the norm in 60..100, all per cent; selfish: the other way round.

    Every round it takes the effort of the peer that it is shown, if any. When a norm was just set, or it was fined, it gives
    up `weight` per cent of what it does beyond the norm (fined without a norm: beyond the sustainable share). With `error` per
    cent it is up to 10 off. `weight` -1: drawn as said.
    """

    game = "pool"
    sees = ("imitation", "norm", "monitor")

    nature: str = static(default="selfish")
    weight: int = -1
    error: int = 5

    def check(self) -> None:
        natured(self)
        self.require(-1 <= self.weight <= 100, "weight", "a share in per cent, or -1: drawn")

    def start(self) -> Memory:
        return Memory(jnp.int32(-1), jnp.int32(-1))

    def act(
        self, key: Array, memory: Memory, sight: Any, legal: Legal, imitation: Any = None, norm: Any = None, monitor: Any = None
    ) -> tuple[Array, Memory]:
        low, high = (LOW, HIGH) if self.nature == "altruistic" else (HIGH, LOW)
        effort = trait(key, memory.effort, low, peers(imitation, "pool", 0), self.error)
        drawn = jnp.where(memory.weight < 0, within(seeds.fold(key, 3), high), memory.weight)
        weight = jnp.where(self.weight < 0, drawn, self.weight)
        reminded = jnp.array(False) if norm is None else norm.fresh
        fined = jnp.array(False) if monitor is None else monitor.fined > 0
        excess = jnp.maximum(effort - (sight.share if norm is None else norm.limit), 0)
        effort = effort - jnp.where(reminded | fined, (excess * weight + 50) // 100, 0)
        return legal.nearest(effort), Memory(effort, weight)


def natured(policy: Any) -> None:
    """Raises SpecError unless `nature` and `error` are what they can be."""
    policy.require(policy.nature in ("altruistic", "selfish"), "nature", "altruistic or selfish")
    policy.require(0 <= policy.error <= 100, "error", "a chance in per cent")


def within(key: Array, bounds: tuple[int, int]) -> Array:
    """int32[]: a whole number within bounds, uniformly."""
    return bounds[0] + seeds.below(key, bounds[1] - bounds[0] + 1)


def peers(imitation: Any, layer: str, question: int) -> Array:
    """int32[]: the last move of the peer that is shown, at a question of a layer; -1 none."""
    return jnp.int32(-1) if imitation is None or layer not in imitation.moves else imitation.moves[layer][question]


def trait(key: Array, held: Array, bounds: tuple[int, int], shown: Array, error: Any) -> Array:
    """int32[]: one number of a strategy, per cent: drawn within bounds at first (held -1); then a peer's, where one is shown.

    With `error` per cent it is up to `SPREAD` off.
    """
    slip = jnp.where(seeds.below(seeds.fold(key, 1), 100) < error, within(seeds.fold(key, 2), (-SPREAD, SPREAD)), 0)
    kept = jnp.clip(jnp.where(shown >= 0, shown, held) + slip, 0, 100)
    return jnp.where(held < 0, within(seeds.fold(key, 0), bounds), kept)
