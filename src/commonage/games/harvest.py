"""Commons Harvest: apples grow back only near others, and a patch that was eaten bare never does (Perolat et al. 2017).

Rules and maps are those of Melting Pot's `commons_harvest__open` and `__closed` (Leibo et al. 2021), after Janssen et al.
2010; `docs/grids.md` has every rule beside theirs. Their third map, `partnership`, is not here.
"""

from __future__ import annotations

import functools
from typing import ClassVar, NamedTuple

import jax.numpy as jnp
import numpy as np
from jax import Array

from commonage import seeds
from commonage.game import Oracle
from commonage.grid import kernel, maps
from commonage.grid.game import World
from commonage.grid.orchard import APPLE, NEAR, Orchard, Own, around
from commonage.part import static


class Eaten(NamedTuple):
    some: Array  # bool[seats]: it ate in this round
    last: Array  # bool[seats]: one of these apples was the last of its patch


class Harvest(Orchard):
    """An eaten apple grows back with a probability that depends on how many apples hang within distance 2 of its cell.

    A seat's deed of a round is 0 where it ate an apple that left none within distance 2, 1 where it ate and never did so.
    Two of the seats, drawn by lot, start inside, near the apples; the others start at the southern edge, and everybody who
    comes back does so there.
    """

    map: str = static(default="harvest_open")
    stop: float = 0.15
    zap_wait: int = 2
    zap_out: int = 4
    growth: tuple[float, ...] = static(default=(0.0, 0.0025, 0.005, 0.025))  # in a step, by how many are near; the last: or more

    levels: ClassVar[tuple[str, ...]] = ("harvest_open", "harvest_closed")
    late = True

    def check(self) -> None:
        super().check()
        self.require(1 <= len(self.growth) <= len(NEAR) + 1, "growth", f"between 1 and {len(NEAR) + 1} numbers")
        self.require(all(0 <= chance <= 1 for chance in self.growth), "growth", "probabilities between 0 and 1")

    def begin(self) -> Own:
        nobody = jnp.zeros(self.seats, bool)
        return self.own(Eaten(nobody, nobody))

    def start(self, key: Array) -> World:
        world, inside = super().start(key), np.flatnonzero(self.ground.kinds["spawn_inside"])
        turn = kernel.ranks(seeds.bits(seeds.fold(key, self.label, "inside"), (self.seats,)))
        near = jnp.asarray(inside)[jnp.minimum(turn, len(inside) - 1)]
        return world._replace(body=world.body._replace(at=jnp.where(turn < len(inside), near, world.body.at).astype(jnp.int32)))

    def _near(self, cells: Array) -> Array:
        """uint8[trees]: how many apples hang within distance 2 of each cell."""
        return around(cells[self.trees] == APPLE, self.ground.width)

    def grow(self, key: Array, world: World) -> Array:
        return self.ripen(key, world.cells, world.cells, self._limits(self._near(world.cells)))

    def _limits(self, near: Array) -> Array:
        """uint32[trees]: below which of 2^32 a draw lets an apple grow."""
        limits = kernel.threshold(np.array(self.growth))
        limit = jnp.full(near.shape, limits[0])
        for count in range(1, len(limits)):
            limit = jnp.where(near >= count, limits[count], limit)
        return limit

    def act(self, key: Array, world: World, moves: Array) -> tuple[World, Array]:
        world, rewards = super().act(key, world, moves)
        eaten, ate = world.own.more, world.own.ate > 0
        left = self._near(world.cells).at[world.body.at - self.trees.start].get(mode="clip")
        more = Eaten(eaten.some | ate, eaten.last | (ate & (left == 0)))
        return world._replace(own=world.own._replace(more=more)), rewards

    def judge(self, world: World) -> Array:
        eaten = world.own.more
        return jnp.where(eaten.some, (~eaten.last).astype(jnp.float32), jnp.nan)

    def fresh(self, own: Own) -> Own:
        nobody = jnp.zeros_like(own.more.some)
        return own._replace(more=Eaten(nobody, nobody))

    def rules(self, seat: int) -> str:
        said = [f"{chance:g} with {count}" for count, chance in enumerate(self.growth)]
        more = " or more" if len(said) <= len(NEAR) else ""
        return (
            f"{self.walking} Two of them, drawn by lot, start near the apples. Whoever stands on an apple eats it and gets 1 point. At the "
            f"start there are {int(self.ground.kinds['apple'].sum())} apples, and they grow only where those lie. Where one was eaten, "
            f"another grows in a step with a probability that depends on how many apples lie at most two steps away: "
            f"{', '.join(said)}{more}. {self.zapping}"
        )

    def oracles(self) -> list[Oracle]:
        best = self.yardsticks()["welfare"]
        why = "apples of the start and, in every step, the most that can grow; luck can exceed it"
        return [
            *self.bounds(self.seats * self.max_steps, "everybody eats an apple in every step"),
            Oracle("welfare_sum", "reference", best, "reference", why),
            Oracle("gain", "reference", best / self.seats, "reference", why),
        ]

    def yardsticks(self) -> dict[str, float]:
        """`welfare`: no play can expect more apples: those of the start, and in every step what grows in the best state of each patch."""
        grown = self.ground.kinds["apple"].sum() + self.max_steps * fastest(self.map, self.growth)
        return {"welfare": round(float(min(grown, self.seats * self.max_steps)), 6)}


@functools.cache
def fastest(name: str, growth: tuple[float, ...]) -> float:
    """The most apples that are expected to grow in a step on a map, over all states: 0.91 on both of ours, by going through them."""
    ground = maps.load(name)
    spots = np.argwhere(ground.kinds["apple"].reshape(ground.height, ground.width))
    close = (spots[:, None] - spots) ** 2 @ np.ones(2) <= 4
    return sum(_fastest(close[np.ix_(patch, patch)], growth) for patch in _patches(close))


def _patches(close: np.ndarray) -> list[np.ndarray]:
    """Groups of spots that are linked by closeness, bool[spots, spots]."""
    linked = np.linalg.matrix_power(close.astype(float), len(close)) > 0
    return [np.flatnonzero(row) for row in np.unique(linked, axis=0)]


def _fastest(close: np.ndarray, growth: tuple[float, ...]) -> float:
    """The same for one patch, by all its states."""
    size = len(close)
    apples = np.arange(2**size)[:, None] >> np.arange(size) & 1
    beside = apples @ (close & ~np.eye(size, dtype=bool))
    return float((np.array(growth)[np.minimum(beside, len(growth) - 1)] * (1 - apples)).sum(1).max())
