"""Gathering: apples that always grow back, and a beam that sends rivals away for a while (Leibo et al. 2017).

The maps are those of the policy-synthesis setting (Gallego 2026), whose small one is drawn after the paper's; `docs/grids.md`
has every rule beside the paper's.
"""

from __future__ import annotations

from typing import ClassVar, NamedTuple

import jax.numpy as jnp
import numpy as np
from jax import Array

from commonage.game import Oracle
from commonage.grid import kernel, words
from commonage.grid.game import World
from commonage.grid.orchard import APPLE, Orchard, Own
from commonage.part import static


class Regrowth(NamedTuple):
    left: Array  # uint8[trees]: steps until the apple is back; 0 = it is there, or the cell has none; nobody sees it
    fired: Array  # bool[seats]: it used its beam in this round


class Gathering(Orchard):
    """An apple is back `regrow` steps after it was eaten. A seat's deed of a round is 1 where it never used its beam, else 0."""

    map: str = static(default="gathering_large")
    seats: int = static(default=4)
    zap_length: int = static(default=20)
    zap_radius: int = static(default=0)
    zap_wait: int = 0
    zap_out: int = 25
    zap_hits: int = 2
    regrow: int = 25

    levels: ClassVar[tuple[str, ...]] = ("gathering_large", "gathering_small")
    window: ClassVar[tuple[int, int, int]] = (15, 0, 10)

    def check(self) -> None:
        super().check()
        self.require(1 <= self.regrow <= 255, "regrow", "between 1 and 255")

    def begin(self) -> Own:
        trees = self.trees
        return self.own(Regrowth(jnp.zeros(trees.stop - trees.start, jnp.uint8), jnp.zeros(self.seats, bool)))

    def grow(self, key: Array, world: World) -> Array:
        where, cells = self.trees, world.cells
        return kernel.put(cells, where, jnp.where(world.own.more.left == 1, np.uint8(APPLE), cells[where]))

    def work(self, world: World, fires: Array) -> tuple[World, Array]:
        """The clocks of eaten apples, and who used its beam."""
        where, more = self.trees, world.own.more
        bare = self.ground.kinds["apple"][where] & (world.cells[where] != APPLE)
        later = jnp.where(more.left > 1, more.left - np.uint8(1), jnp.asarray(self.regrow, jnp.uint8))
        more = Regrowth(kernel.done(jnp.where(bare, later, np.uint8(0))), more.fired | fires[:, 0])
        return world._replace(own=world.own._replace(more=more)), jnp.zeros(self.seats, jnp.float32)

    def judge(self, world: World) -> Array:
        return (~world.own.more.fired).astype(jnp.float32)

    def fresh(self, own: Own) -> Own:
        return own._replace(more=own.more._replace(fired=jnp.zeros_like(own.more.fired)))

    def rules(self, seat: int) -> str:
        return (
            f"{self.walking} Whoever stands on an apple eats it and gets 1 point. There are {self._apples} apples, and an eaten one is "
            f"there again after {words.steps(self.regrow)}. {self.zapping}"
        )

    @property
    def _apples(self) -> int:
        return int(self.ground.kinds["apple"].sum())

    def oracles(self) -> list[Oracle]:
        return self.bounds(self.yardsticks()["welfare"], "everybody eats in every step, or every apple is eaten as soon as it is there")

    def yardsticks(self) -> dict[str, float]:
        """`welfare`: the most that can be eaten by so many mouths, and of so many apples."""
        harvests = -(-self.max_steps // int(self.regrow))
        return {"welfare": float(min(self.seats * self.max_steps, self._apples * harvests))}
