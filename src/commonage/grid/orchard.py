"""A grid where apples are eaten and players are sent away: what Cleanup, Commons Harvest and Gathering share."""

from __future__ import annotations

import functools
from typing import Any, ClassVar, NamedTuple

import jax.numpy as jnp
import numpy as np
from jax import Array

from commonage import seeds
from commonage.game import Oracle
from commonage.grid import kernel, maps, words
from commonage.grid.game import WALKING, Grid, Sight, World
from commonage.part import static

APPLE, WATER, DIRT = range(3, 6)  # codes
ZAP, CLEAN = range(len(WALKING), len(WALKING) + 2)  # moves: beams follow walking
NEAR = tuple((down, right) for down in range(-2, 3) for right in range(-2, 3) if 0 < down**2 + right**2 <= 4)  # 12 cells


class Own(NamedTuple):
    wait: Array  # int32[seats, beams]: steps until a seat may use each again
    ate: Array  # int32[seats]: apples, in the last step
    zaps: Array  # bool[seats, seats]: who (row) zapped whom (column) in the last step
    struck: Array  # int32[seats]: hits since it came in
    more: Any  # the game's own


class Seen(NamedTuple):
    wait: Array  # int32[seats, beams]: steps until I may use each again
    ate: Array  # int32[seats]: apples, in the last step
    zapped: Array  # bool[seats, seats]: whom I zapped in the last step
    zapped_by: Array  # bool[seats, seats]: who zapped me in the last step
    struck: Array  # int32[seats]: hits that I took since I came in
    more: Any  # the game's own


class Orchard(Grid):
    """Subclass it: `begin`, `grow`, `judge`, and `work`, what further beams do.

    `beams`: "first": each line of a beam ends at what it hits first, and those at the sides begin beside the player, as in
    DMLab2D; "all": all begin ahead, and hit everything within their length.
    """

    beams: str = static(default="first")
    zap_length: int = static(default=3)
    zap_radius: int = static(default=1)  # lines at each side of the middle one
    zap_wait: int = 10  # steps after a zap before the next
    zap_out: int = 50  # steps that who is sent away stays away
    zap_hits: int = 1  # that send away
    zap_home: bool = static(default=False)  # and comes back where it was
    zap_cost: float = 0.0  # to who zaps
    zapped_cost: float = 0.0  # to who is hit

    things: ClassVar[tuple[str, ...]] = ("unseen", "floor", "wall", "apple")
    acts: ClassVar[tuple[str, ...]] = ("zap",)

    def check(self) -> None:
        super().check()
        self.require(self.beams in ("first", "all"), "beams", "first or all")
        self.require(1 <= self.zap_length <= 20, "zap_length", "between 1 and 20")
        self.require(0 <= self.zap_radius <= 3, "zap_radius", "between 0 and 3")
        self.require(self.zap_wait >= 0, "zap_wait", "at least 0")
        self.require(self.zap_out >= 1, "zap_out", "at least 1")
        self.require(self.zap_hits >= 1, "zap_hits", "at least 1")
        self.require(self.overlap or not self.zap_home, "zap_home", "false where players may not stand on one cell (overlap)")
        self.require(self.zap_cost >= 0, "zap_cost", "at least 0")
        self.require(self.zapped_cost >= 0, "zapped_cost", "at least 0")

    @property
    def trees(self) -> slice:
        """The rows with apples, as a stretch of cells."""
        return maps.strip(self.ground.kinds["apple"], self.ground.width)

    def lay(self, key: Array) -> Array:
        return jnp.asarray(self.ground.codes(wall=kernel.WALL, apple=APPLE))

    def ripen(self, key: Array, cells: Array, free: Array, limits: Array) -> Array:
        """uint8[cells] with new apples on trees that are bare in `free`, where a draw is below `limits` uint32[trees or ()] of 2^32."""
        trees = self.trees
        draws = seeds.bits(key, (trees.stop - trees.start,))
        grows = self.ground.kinds["apple"][trees] & (free[trees] == kernel.FLOOR) & (draws < limits)
        return kernel.put(cells, trees, jnp.where(grows, np.uint8(APPLE), cells[trees]))

    @property
    def waits(self) -> tuple[Any, ...]:
        """Steps after the use of each beam before the next."""
        return (self.zap_wait,)

    def own(self, more: Any) -> Own:
        """The arrays at the start."""
        none, nobody = jnp.zeros(self.seats, jnp.int32), jnp.zeros((self.seats, self.seats), bool)
        return Own(jnp.zeros((self.seats, len(self.acts)), jnp.int32), none, nobody, none, more)

    def work(self, world: World, fires: Array) -> tuple[World, Array]:
        """(world, rewards float32[seats]) after the other beams, `fires` bool[seats, beams]: before anybody is sent away."""
        return world, jnp.zeros(self.seats, jnp.float32)

    def act(self, key: Array, world: World, moves: Array) -> tuple[World, Array]:
        here, own = world.body.out == 0, world.own
        cells, ate = kernel.done(self._eat(key, world.cells, world.body, here))
        fires, wait = kernel.done(self._fire(own.wait, moves, here))
        zaps = kernel.done(self._zap(cells, world.body, fires[:, 0]))
        world, earned = self.work(world._replace(cells=cells), fires)
        struck = own.struck + zaps.sum(0, dtype=jnp.int32)
        away = struck >= self.zap_hits
        body = world.body._replace(out=jnp.where(away & here, self.zap_out, world.body.out))
        own = Own(wait, ate.astype(jnp.int32), zaps, jnp.where(away, 0, struck), world.own.more)
        fined = self.zap_cost * fires[:, 0] + self.zapped_cost * zaps.sum(0)
        return world._replace(body=body, own=own), (ate + earned - fined).astype(jnp.float32)

    def _eat(self, key: Array, cells: Array, body: kernel.Body, here: Array) -> tuple[Array, Array]:
        """(cells, bool[seats] who ate); of several on one cell a random one does."""
        ate = here & (cells[body.at] == APPLE)
        if self.overlap:
            turn = kernel.ranks(jnp.where(ate, seeds.bits(key, (self.seats,)), 0))
            ate &= ~((body.at[:, None] == body.at) & (turn < turn[:, None]) & ate).any(1)
        return kernel.lay(cells, jnp.where(ate, body.at, len(cells)), kernel.FLOOR), ate

    def _fire(self, wait: Array, moves: Array, here: Array) -> tuple[Array, Array]:
        """(bool[seats, beams] who uses which beam, int32[seats, beams] how long each has to wait now)."""
        fires = (wait == 0) & (moves[:, None] == np.arange(ZAP, ZAP + len(self.acts)))
        rest = jnp.where(here[:, None], jnp.maximum(wait - 1, 0), wait)
        return fires, jnp.where(fires, jnp.stack([jnp.asarray(steps, jnp.int32) for steps in self.waits]), rest)

    def _zap(self, cells: Array, body: kernel.Body, fires: Array) -> Array:
        """bool[seats, seats]: who hits whom: in each line of the beam whoever stands first."""
        stops = kernel.done(kernel.stand(cells, body)) >= kernel.WHO
        return kernel.hits(fires, kernel.done(self.beam(stops, body, self.zap_length, self.zap_radius)), body)

    def beam(self, stops: Array, body: kernel.Body, length: int, radius: int) -> Array:
        """int32[seats, n]: the cells of bool[cells] that everybody's beam would hit; len(stops) = none."""
        if self.beams == "all":
            return kernel.square(stops, body, self.ground, length, radius)
        return kernel.beam(stops, body, maps.reach(self.map, length, radius), self.ground.width)

    @property
    def home(self) -> bool:
        return self.zap_home

    def seen(self, world: World) -> Seen:
        own = world.own
        return Seen(own.wait, own.ate, own.zaps, own.zaps.T, own.struck, self.shown(own.more))

    def shown(self, more: Any) -> Any:
        """What each seat sees of the game's own: leading axis = seats."""
        return ()

    def facts(self, state: World) -> dict[str, Array]:
        own, apples = state.own, (state.cells == APPLE).sum(dtype=jnp.int32)
        zapped, by = (own.zaps.sum(axis, dtype=jnp.int32) for axis in (1, 0))
        whom = (own.zaps << np.arange(self.seats)).sum(1, dtype=jnp.int32)  # a bit for each place
        return {"apples": apples, "ate": own.ate, "zapped": zapped, "zapped_by": by, "zapped_whom": whom, "out": state.body.out}

    def bounds(self, apples: float, why: str) -> list[Oracle]:
        """Floors and ceilings where nothing but apples pays, so many of them at most, and nothing but zaps costs."""
        least = 0.0 - self.max_steps * float(self.zap_cost + (self.seats - 1) * self.zapped_cost)
        worst = "everybody zaps everybody in every step" if least else "nobody eats"
        return [
            Oracle("welfare_sum", "ceiling", float(apples), "bound", why),
            Oracle("welfare_sum", "floor", self.seats * least, "bound", worst),
            Oracle("gain", "ceiling", apples / self.seats, "bound", why),
            Oracle("gain", "floor", least, "bound", worst),
        ]

    def recount(self, mine: Sight) -> list[str]:
        own = mine.own
        said = ["You ate an apple in the last step."] * bool(own.ate)
        said += [f"You zapped player {i + 1} in the last step." for i in np.flatnonzero(own.zapped)]
        said += [f"Player {i + 1} zapped you in the last step." for i in np.flatnonzero(own.zapped_by)]
        said += [f"You took {own.struck} of the {self.zap_hits} hits that send you away."] * bool(own.struck)
        waits = [f"You can {act} again in {words.steps(left)}." for act, left in zip(self.acts, own.wait, strict=True) if left]
        return said + waits

    @property
    def zapping(self) -> str:
        """The rules of the zap."""
        wide, hits = 2 * self.zap_radius + 1, f"{self.zap_hits} hits send" if self.zap_hits > 1 else "a hit sends"
        costs = "".join(
            f" {who} {float(cost):g} points."
            for who, cost in (("A zap costs", self.zap_cost), ("Who is hit loses", self.zapped_cost))
            if cost
        )
        again = f" You can zap again after {words.steps(self.zap_wait)}." if self.zap_wait else ""
        ends = "hits everybody there" if self.beams == "all" else "stops at a wall or at the first player in each line"
        back = "where it was" if self.zap_home else "somewhere else"
        return (
            f"A zap goes {self.zap_length} cells ahead, {wide} wide, and {ends}; {hits} a "
            f"player away for {words.steps(self.zap_out)}, after which it comes back {back}.{costs}{again}"
        )


def around(apples: Array, width: int) -> Array:
    """uint8[cells]: how many of `apples` bool[cells], in rows of `width`, lie within distance 2 (L2) of each cell but on it.

    None may lie in the last two columns, or in the first and the last one: walls keep one row from running into the next.
    """
    far = 2 * width
    wide = kernel.done(jnp.pad(apples.astype(jnp.uint8), far))
    starts = (far + down * width + right for down, right in NEAR)
    return kernel.done(functools.reduce(jnp.add, [wide[start : start + len(apples)] for start in starts]))


def around_in_view(apples: Array) -> Array:
    """The same of bool[h, w], which has no walls around it."""
    height, width = apples.shape
    walled = jnp.pad(apples, ((0, 0), (0, 2)))
    return around(walled.ravel(), width + 2).reshape(height, width + 2)[:, :width]
