"""Cleanup: apples grow only while somebody cleans the river, where there is nothing to eat (Hughes et al. 2018).

Rules and map are Melting Pot's `clean_up` (Leibo et al. 2021); `docs/grids.md` has every rule beside theirs. The presets
`cleanup_synthesis` and `cleanup_socialjax` play the settings of others.
"""

from __future__ import annotations

from typing import Any, ClassVar, NamedTuple

import jax.numpy as jnp
import numpy as np
from jax import Array

from commonage import seeds
from commonage.game import Oracle
from commonage.grid import kernel, maps, words
from commonage.grid.game import Sight, World
from commonage.grid.orchard import APPLE, DIRT, WATER, Orchard, Own
from commonage.part import static


class River(NamedTuple):
    cleaned: Array  # int32[seats]: cells, in the last step
    share: Array  # int32[seats]: cells cleaned in this round


class Cleanup(Orchard):
    """An apple grows on an empty cell with `growth` over a clean river, the less the dirtier it is, not at all from `dead` on.

    A seat's deed of a round is what it cleaned, over an equal share of the dirt that a round brings: 1 at most.
    """

    map: str = static(default="cleanup")
    growth: float = static(default=0.05)
    dead: float = static(default=0.4)  # dirty part of the river
    ripe: bool = static(default=False)  # all apples are there at the start
    late: bool = static(default=False)  # apples grow and dirt falls after the moves, not before them
    under: bool = static(default=True)  # and under players too
    dirt: float = 0.5  # how likely a clean cell of the river gets dirty in a step
    dirt_from: int = 50  # steps before that begins
    dirt_ends: bool = False  # no new dirt while the dirty part is `dead` or more
    clean_length: int = static(default=3)
    clean_radius: int = static(default=1)
    clean_wait: int = 2
    clean_cost: float = 0.0  # to who uses the beam

    levels: ClassVar[tuple[str, ...]] = ("cleanup", "cleanup_policy_synthesis")
    things: ClassVar[tuple[str, ...]] = ("unseen", "floor", "wall", "apple", "water", "dirt")
    acts: ClassVar[tuple[str, ...]] = ("zap", "clean")
    aims: ClassVar[dict[str, str]] = {"clean": "dirt"}

    def check(self) -> None:
        super().check()
        self.require(0 <= self.growth <= 1, "growth", "between 0 and 1")
        self.require(0 < self.dead <= 1, "dead", "above 0 and at most 1")
        self.require(0 <= self.dirt <= 1, "dirt", "between 0 and 1")
        self.require(self.dirt_from >= 0, "dirt_from", "at least 0")
        self.require(1 <= self.clean_length <= 20, "clean_length", "between 1 and 20")
        self.require(0 <= self.clean_radius <= 3, "clean_radius", "between 0 and 3")
        self.require(self.clean_wait >= 0, "clean_wait", "at least 0")
        self.require(self.clean_cost >= 0, "clean_cost", "at least 0")

    @property
    def waits(self) -> tuple[Any, ...]:
        return self.zap_wait, self.clean_wait

    def lay(self, key: Array) -> Array:
        apples = {"apple": APPLE} if self.ripe else {}
        return jnp.asarray(
            self.ground.codes(**apples, wall=kernel.WALL, river=WATER, stream=WATER, clean_at_start=WATER, dirt_at_start=DIRT)
        )

    def begin(self) -> Own:
        none = jnp.zeros(self.seats, jnp.int32)
        return self.own(River(none, none))

    @property
    def _bed(self) -> np.ndarray:
        """bool[cells]: those that can be dirty."""
        return self.ground.kinds["dirt_at_start"] | self.ground.kinds["clean_at_start"]

    def grow(self, key: Array, world: World) -> Array:
        dirty = kernel.done((world.cells == DIRT).sum(dtype=jnp.int32))
        free = world.cells if self.under else kernel.done(kernel.stand(world.cells, world.body))
        limit = kernel.done(jnp.asarray(self._limits())[dirty])
        cells = self.ripen(seeds.fold(key, "apples"), world.cells, free, limit)
        return self._dirt(seeds.fold(key, "dirt"), cells, free, dirty, world.clock)

    def _limits(self) -> np.ndarray:
        """uint32[dirty cells]: below which of 2^32 a draw lets an apple grow."""
        bed = int(self._bed.sum())
        return kernel.threshold(np.clip(1 - np.arange(bed + 1) / bed / self.dead, 0, 1) * self.growth)

    def _dirt(self, key: Array, cells: Array, free: Array, dirty: Array, clock: Array) -> Array:
        bed = self._bed
        where, most = maps.strip(bed, self.ground.width), int(np.ceil(self.dead * bed.sum()))
        clean = (free[where] == WATER) & bed[where]
        spot = kernel.done(seeds.one_of(seeds.fold(key, "where"), clean))
        falls = (clock >= self.dirt_from) & seeds.chance(seeds.fold(key, "whether"), self.dirt)
        falls &= ~(jnp.asarray(self.dirt_ends) & (dirty >= most))
        here = clean & falls & (np.arange(len(clean)) == spot)
        return kernel.put(cells, where, jnp.where(here, np.uint8(DIRT), cells[where]))

    def work(self, world: World, fires: Array) -> tuple[World, Array]:
        """The beam cleans the dirty cells that it hits."""
        cells, used = world.cells, fires[:, 1]
        spots = self.beam(cells == DIRT, world.body, self.clean_length, self.clean_radius)
        hits = kernel.done(used[:, None] & (spots < len(cells)))
        cells = kernel.done(kernel.lay(cells, jnp.where(hits, spots, len(cells)), WATER))
        cleaned = hits.sum(1, dtype=jnp.int32)
        own = world.own._replace(more=River(cleaned, world.own.more.share + cleaned))
        return world._replace(cells=cells, own=own), -self.clean_cost * used

    def judge(self, world: World) -> Array:
        fair = self.dirt * self.round_steps / self.seats
        return jnp.minimum(world.own.more.share / jnp.maximum(fair, 1), 1).astype(jnp.float32)

    def fresh(self, own: Own) -> Own:
        return own._replace(more=own.more._replace(share=jnp.zeros_like(own.more.share)))

    def shown(self, more: River) -> River:
        return more

    def facts(self, state: World) -> dict[str, Array]:
        dirty = (state.cells == DIRT).sum(dtype=jnp.int32)
        return {**super().facts(state), "dirty": dirty, "cleaned": state.own.more.cleaned}

    def yardsticks(self) -> dict[str, float]:
        """`welfare`: an apple on every cell of the orchard as often as a clean river lets it grow, and no costs."""
        orchard = int(self.ground.kinds["apple"].sum())
        return {"welfare": orchard * (self.growth * self.max_steps + self.ripe)}

    def oracles(self) -> list[Oracle]:
        most, steps = self.yardsticks()["welfare"], self.max_steps
        grown = "every cell of the orchard empty and the river clean in every step, in expectation"
        worst = -steps * float(max(self.clean_cost, self.zap_cost) + (self.seats - 1) * self.zapped_cost)
        return [
            Oracle("gain", "ceiling", float(steps), "bound", "an apple a step"),
            Oracle("gain", "floor", worst, "bound", "no apples, and every step a beam of one's own and one of every other's"),
            Oracle("welfare_sum", "ceiling", float(self.seats * steps), "bound", "an apple a step for everybody"),
            Oracle("welfare_sum", "reference", most, "reference", grown),
        ]

    def rules(self, seat: int) -> str:
        wide = 2 * self.clean_radius + 1
        again = f" You can clean again after {words.steps(self.clean_wait)}." if self.clean_wait else ""
        cost = f" Cleaning costs {float(self.clean_cost):g} points each time." if self.clean_cost else ""
        what = "all that is dirty there." if self.beams == "all" else "the first dirty cell in each line."
        empty = "empty cell of it" if self.under else "cell of it without a player"
        return (
            f"{self.walking} Whoever stands on an apple eats it and gets 1 point. Apples grow in the orchard: on each {empty} "
            f"with a probability of {self.growth:g} a step while the river is clean, less the more of it is dirty, and not at all while "
            f"{self.dead:g} of it or more is. In each step, but for the first {int(self.dirt_from)}, a cell of the river gets dirty with "
            f"probability {float(self.dirt):g}. Cleaning goes {self.clean_length} cells ahead, {wide} wide, and cleans {what}"
            f"{cost}{again} {self.zapping}"
        )

    def recount(self, mine: Sight) -> list[str]:
        cleaned = int(mine.own.more.cleaned)
        return [f"You cleaned {cleaned} cell{'s' * (cleaned > 1)} in the last step."] * bool(cleaned) + super().recount(mine)
