"""Coins: in a room appear coins of two colours; whoever takes one of the other's harms the other (Lerer & Peysakhovich 2017).

Rules are those of Melting Pot's `coins` (Leibo et al. 2021); `docs/grids.md` has every rule beside theirs. `coin_game` is the
small one: a torus with one coin of each colour.
"""

from __future__ import annotations

import functools
from typing import Any, ClassVar, NamedTuple

import jax.numpy as jnp
import numpy as np
from jax import Array

from commonage import seeds
from commonage.game import Oracle
from commonage.grid import kernel, maps, picture
from commonage.grid.game import Grid, Sight, World
from commonage.grid.kernel import Body
from commonage.grid.maps import Map
from commonage.part import static

OWN, OTHERS = 3, 4  # in a view; on the map these are the coins of the first player and of the second
SWAP = OWN ^ OTHERS
OWN_TAKEN, OTHERS_TAKEN = 1, 2  # as in `coin_game`
SEATS = np.arange(2)


class Own(NamedTuple):
    took: Array  # int32[2]: in the last step: 0 nothing, 1 an own coin, 2 one of the other's
    own: Array  # int32[2]: own coins taken in this round
    all: Array  # int32[2]: coins taken in this round


class Seen(NamedTuple):
    took: Array  # int32[seats]: in the last step: 0 nothing, 1 an own coin, 2 one of the other's
    lost: Array  # bool[seats]: the other took one of mine in the last step


class Coins(Grid):
    """Every coin is worth 1 to whoever takes it; who owns its colour loses `penalty` when the other does.

    A seat's deed of a round is its own colour's part of the coins that it took; where it took none there is no deed.
    """

    height: int = static(default=15)  # cells within the walls
    width: int = static(default=15)
    growth: float = static(default=0.0005)  # how likely an empty cell gets a coin in a step
    penalty: float = 2.0
    stop: float = 0.05

    lasting: ClassVar[tuple[str, ...]] = ("height", "width", "round_steps")
    map: ClassVar[str] = ""
    seats: ClassVar[int] = 2
    things: ClassVar[tuple[str, ...]] = ("unseen", "floor", "wall", "your coin", "the other's coin")

    def check(self) -> None:
        super().check()
        self.require(4 <= self.height <= 60, "height", "between 4 and 60")
        self.require(4 <= self.width <= 60, "width", "between 4 and 60")
        self.require(0 <= self.growth <= 1, "growth", "between 0 and 1")
        self.require(self.penalty >= 1, "penalty", "at least 1, what a coin is worth")

    @property
    def ground(self) -> Map:
        return room(self.height, self.width)

    def lay(self, key: Array) -> Array:
        return jnp.asarray(self.ground.codes(wall=kernel.WALL))

    def begin(self) -> Own:
        none = jnp.zeros(2, jnp.int32)
        return Own(none, none, none)

    def grow(self, key: Array, world: World) -> Array:
        """The lowest bit of a draw, which is fair below an even limit, is the colour."""
        coin, cells = self.ground.kinds["coin"], world.cells
        where = maps.strip(coin, self.ground.width)
        limit = kernel.threshold(np.array(self.growth)) & np.uint32(2**32 - 2)
        draws = seeds.bits(key, (where.stop - where.start,))
        grows = coin[where] & (cells[where] == kernel.FLOOR) & (draws < limit)
        return kernel.put(cells, where, jnp.where(grows, OWN + (draws & 1).astype(jnp.uint8), cells[where]))

    def act(self, key: Array, world: World, moves: Array) -> tuple[World, Array]:
        """Whoever stands on a coin takes it."""
        found = kernel.done(world.cells[world.body.at]).astype(jnp.int32)
        took = jnp.where(found >= OWN, jnp.where(found - OWN == SEATS, OWN_TAKEN, OTHERS_TAKEN), 0)
        cells = kernel.lay(world.cells, jnp.where(took > 0, world.body.at, len(world.cells)), kernel.FLOOR)
        own = Own(took, world.own.own + (took == OWN_TAKEN), world.own.all + (took > 0))
        rewards = (took > 0) - self.penalty * (took == OTHERS_TAKEN)[::-1]
        return world._replace(cells=cells, own=own), rewards.astype(jnp.float32)

    def judge(self, world: World) -> Array:
        own = world.own
        return jnp.where(own.all > 0, own.own / jnp.maximum(own.all, 1), jnp.nan).astype(jnp.float32)

    def fresh(self, own: Own) -> Own:
        return own._replace(own=jnp.zeros_like(own.own), all=jnp.zeros_like(own.all))

    def look(self, state: World) -> Sight:
        """To the second player its own coins are those of the second colour."""
        sight = super().look(state)
        coin = (sight.view % kernel.WHO) >= OWN
        return sight._replace(view=sight.view ^ jnp.where(coin, np.uint8(SWAP) * SEATS.astype(np.uint8)[:, None, None], 0))

    def seen(self, world: World) -> Seen:
        return Seen(world.own.took, (world.own.took == OTHERS_TAKEN)[::-1])

    def toward(self, state: World) -> Array:
        return jnp.array([1, 0], jnp.int32)

    def facts(self, state: World) -> dict[str, Array]:
        took = {"own_coins": state.own.took == OWN_TAKEN, "others_coins": state.own.took == OTHERS_TAKEN}
        coins = (state.cells >= OWN).sum(dtype=jnp.int32)
        return {"coins": coins, **{name: yes.astype(jnp.int32) for name, yes in took.items()}}

    def rules(self, seat: int) -> str:
        both = " Where both come to one coin both take it." if self.overlap else ""
        return (
            f"{self.walking} There are coins of two colours: yours, and the other player's. Whoever comes to a cell with a coin, or stands "
            f"where one appears, takes it and gets 1 point, whosever colour it is.{both} A player of whose colour the other takes a coin "
            f"loses {float(self.penalty):g} points. In every step each empty cell, but for the two where players start, gets a coin with "
            f"probability {self.growth:g}; one of either colour is as likely."
        )

    def recount(self, mine: Sight) -> list[str]:
        whose = ("", "yours", "the other's")[int(mine.own.took)]
        said = [f"You took a coin of {whose} in the last step."] * bool(whose)
        return said + ["The other took a coin of yours in the last step."] * bool(mine.own.lost)

    def draw(self, cells: Any, body: Body) -> list[dict[str, Any]]:
        """Coins in the colours of their owners."""
        owners = {"your coin": 0, "the other's coin": 1}
        shapes = picture.draw(cells, body, self.ground, self.things)
        return [
            {**shape, "fill": "seat", "seat": owners[shape["fill"]]} if shape["fill"] in owners else shape for shape in shapes
        ]  # fmt: skip

    def yardsticks(self) -> dict[str, float]:
        """`welfare`: what is expected where every coin is taken by its owner as it appears."""
        return {"welfare": self.growth * int(self.ground.kinds["coin"].sum()) * self.max_steps}

    def oracles(self) -> list[Oracle]:
        steps, low, best = self.max_steps, 1 - float(self.penalty), self.yardsticks()["welfare"]
        only_own, only_others = "a coin adds at most 1: its owner takes it", "a coin adds at least 1 - penalty: the other takes it"
        expected = "all coins that can be expected, each taken by its owner as it appears; luck can exceed it"
        return [
            Oracle("welfare_sum", "ceiling", 2.0 * steps, "bound", only_own),
            Oracle("welfare_sum", "floor", 2 * steps * low, "bound", only_others),
            Oracle("welfare_sum", "reference", best, "reference", expected),
            Oracle("gain", "ceiling", float(steps), "bound", only_own),
            Oracle("gain", "floor", steps * low, "bound", only_others),
            Oracle("gain", "reference", best / 2, "reference", expected),
        ]


@functools.cache
def room(height: int, width: int) -> Map:
    """An empty room with so many cells within its walls; its players start near the upper right and the lower left corner."""
    wall = np.pad(np.zeros((height, width), bool), 1, constant_values=True)
    spawn = np.zeros_like(wall)
    spawn[2, width - 1] = spawn[height - 1, 2] = True
    return Map(height + 2, width + 2, {"wall": wall.ravel(), "spawn": spawn.ravel(), "coin": ~(wall | spawn).ravel()})
