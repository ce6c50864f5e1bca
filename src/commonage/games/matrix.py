"""A 2x2 game in space: players collect tokens of two kinds, and what they carry is the mixed strategy that they meet with.

Rules and map are Melting Pot's `*_in_the_matrix__repeated` (Leibo et al. 2021); `docs/grids.md` has every rule beside theirs. The
payoffs go by the names of `dilemma`.
"""

from __future__ import annotations

from typing import ClassVar, NamedTuple

import jax.numpy as jnp
import numpy as np
from jax import Array

from commonage import seeds
from commonage.game import Ask, Oracle, everyone
from commonage.games import dilemma
from commonage.grid import kernel, maps, paths, words
from commonage.grid.game import WALKING, Grid, Sight, World
from commonage.part import static

GREEN, RED = 3, 4  # cooperate, defect
INTERACT = len(WALKING)
ME, OTHER = np.array([0, 1]), np.array([1, 0])
NAMED = {**dilemma.NAMED, "stag_hunt": (4.0, 0.0, 2.0, 2.0), "chicken": (3.0, 2.0, 5.0, 0.0)}  # where Melting Pot has a game, its payoffs


class Field(NamedTuple):
    """The rows of the map where tokens lie, cell by cell."""

    kind: Array  # uint8[cells]: what is there when nothing was taken
    wait: Array  # uint8[cells]: steps until it may come back
    hits: Array  # uint8[cells]: beams that hit it since it was last destroyed


class Own(NamedTuple):
    field: Field
    wait: Array  # int32[2]: steps until a seat may interact again
    bag: Array  # int32[2, 2]: tokens of each seat, green and red
    collected: Array  # int32[2]: in the last step: 0 nothing, 3 a green token, 4 a red one
    ready: Array  # bool[2]: has collected since its bag was last emptied
    frozen: Array  # int32[]: steps until the points of an interaction come; 0 = none is under way
    met: Array  # bool[]: they interacted in the last step
    showed: Array  # int32[2, 2]: the bags at the last interaction; -1 before the first
    paid: Array  # float32[2]: points of the last interaction that was paid
    count: Array  # int32[]: interactions of this round
    green: Array  # float32[2]: sum over them of the green part of each bag


class Seen(NamedTuple):
    wait: Array  # int32[seats]: steps until I may interact again
    bag: Array  # int32[seats, 2]: my green and red tokens
    collected: Array  # int32[seats]: in the last step: 0 nothing, 3 a green token, 4 a red one
    ready: Array  # bool[seats]: I have collected since my bag was last emptied
    other_ready: Array  # int32[seats]: whether the other has; -1 where I do not see it
    frozen: Array  # int32[seats]: steps until the points of an interaction come; 0 = none is under way
    mine: Array  # int32[seats, 2]: my bag at the last interaction; -1 before the first
    theirs: Array  # int32[seats, 2]: the other's
    paid: Array  # float32[seats]: my points of the last interaction that was paid


class Matrix(Grid):
    """Two who both carry something interact when one's beam hits the other: each bag is a mixed strategy, green = cooperate.

    `kind` names the payoffs (prisoners_dilemma, stag_hunt, chicken, harmony, deadlock, donation); `payoffs` = (reward, sucker,
    temptation, punishment) overrides it. A seat's deed of a round is the green part of its bag, the mean over the interactions.
    """

    map: str = static(default="matrix_repeated")
    kind: str = static(default="stag_hunt")
    payoffs: tuple[float, ...] = ()
    initial: int = 1  # tokens of each kind in an empty bag
    growth: float = static(default=0.02)  # how likely a token that was taken comes back in a step
    delay: int = 10  # steps before that begins
    health: int = 3  # beams that destroy a token
    beam_length: int = static(default=3)
    beam_radius: int = static(default=1)  # lines at each side of the middle one
    beam_wait: int = 2  # steps after a beam before the next
    freeze: int = 17  # steps after an interaction until its points come; nobody moves in them
    away: int = 6  # steps that both are out then
    stop: float = 0.1

    seats: ClassVar[int] = 2
    overlap: ClassVar[bool] = False
    levels: ClassVar[tuple[str, ...]] = ("matrix_repeated", "matrix_repeated_dilemma")
    things: ClassVar[tuple[str, ...]] = ("unseen", "floor", "wall", "green token", "red token")
    acts: ClassVar[tuple[str, ...]] = ("interact",)
    window: ClassVar[tuple[int, int, int]] = (3, 1, 2)
    private: ClassVar[tuple[str, ...]] = ("bag", "collected", "paid")

    def check(self) -> None:
        super().check()
        self.require(self.kind in NAMED, "kind", "one of " + ", ".join(NAMED))
        self.require(len(self.payoffs) in (0, 4), "payoffs", "reward, sucker, temptation, punishment")
        self.require(self.initial >= 0, "initial", "at least 0")
        self.require(0 <= self.growth <= 1, "growth", "between 0 and 1")
        self.require(0 <= self.delay <= 250, "delay", "between 0 and 250")
        self.require(1 <= self.health <= 50, "health", "between 1 and 50")
        self.require(1 <= self.beam_length <= 20, "beam_length", "between 1 and 20")
        self.require(0 <= self.beam_radius <= 3, "beam_radius", "between 0 and 3")
        self.require(self.beam_wait >= 0, "beam_wait", "at least 0")
        self.require(self.freeze >= 1, "freeze", "at least 1")
        self.require(self.away >= 1, "away", "at least 1")

    @property
    def rstp(self) -> tuple[float, ...]:
        """Reward, sucker, temptation, punishment."""
        return self.payoffs or NAMED[self.kind]

    @property
    def _lies(self) -> np.ndarray:
        """bool[cells]: where tokens lie."""
        kinds = self.ground.kinds
        return kinds["resource_1"] | kinds["resource_2"] | kinds["resource_either"]

    @property
    def _strip(self) -> slice:
        return maps.strip(self._lies, self.ground.width)

    def start(self, key: Array) -> World:
        world = super().start(key)
        return world._replace(own=world.own._replace(field=world.own.field._replace(kind=world.cells[self._strip])))

    def lay(self, key: Array) -> Array:
        """Where a token of either kind may lie, one is drawn for the match."""
        cells, either = self.ground.codes(wall=kernel.WALL, resource_1=GREEN, resource_2=RED), self.ground.kinds["resource_either"]
        return jnp.where(either, GREEN + (seeds.bits(key, cells.shape) & 1), cells).astype(jnp.uint8)

    def begin(self) -> Own:
        zero, none, nothing = jnp.int32(0), jnp.zeros(2, jnp.int32), jnp.zeros(2, jnp.float32)
        blank = jnp.zeros(self._strip.stop - self._strip.start, jnp.uint8)
        bag, no = jnp.full((2, 2), self.initial, jnp.int32), jnp.zeros(2, bool)
        return Own(Field(blank, blank, blank), none, bag, none, no, zero, no[0], jnp.full((2, 2), -1, jnp.int32), nothing, zero, nothing)

    def ask(self, state: World) -> Ask:
        """Who stands still or is out can only stay: it makes that move unasked, and has the deed of the round."""
        held = (state.own.frozen > 0) | (state.body.out > 0)
        return everyone(self, high=jnp.where(held, kernel.NOOP, INTERACT))

    def grow(self, key: Array, world: World) -> Array:
        """A token comes back with some probability where nobody stands, and all of them while nobody is on the map."""
        field, body, where = world.own.field, world.body, self._strip
        draws = seeds.bits(key, (where.stop - where.start,))
        grows = (field.wait == 0) & (draws < kernel.threshold(np.array(self.growth))) & ~self._stood(body)
        back = grows | (body.out > 0).all()
        return kernel.put(world.cells, where, jnp.where(back, field.kind, world.cells[where]))

    def _stood(self, body: kernel.Body) -> Array:
        """bool[cells of the strip]: somebody stands there."""
        where = self._strip
        spots = jnp.where(body.out == 0, body.at, -1)
        return (np.arange(where.start, where.stop) == spots[:, None]).any(0)

    def act(self, key: Array, world: World, moves: Array) -> tuple[World, Array]:
        own, here = world.own, (world.own.frozen == 0) & (world.body.out == 0)
        found = kernel.done(world.cells[world.body.at]).astype(jnp.int32)
        collected = jnp.where(here & (found >= GREEN), found, 0)
        bag, ready = own.bag + (collected[:, None] == np.array([GREEN, RED])), own.ready | (collected > 0)
        fires = here & (own.wait == 0) & (moves == INTERACT)
        wait = jnp.where(fires, self.beam_wait, jnp.where(here, jnp.maximum(own.wait - 1, 0), own.wait))
        spots = kernel.done(self._beam(world, fires))
        cells, field = self._taken(world, spots)
        met = (spots == world.body.at[::-1, None]).any() & ready.all()
        own = own._replace(field=field, wait=wait, bag=bag, collected=collected, ready=ready)
        return self._settle(world._replace(cells=cells, own=own), kernel.done(met))

    def _beam(self, world: World, fires: Array) -> Array:
        """int32[2, n]: the cells that each seat's beam gets to; len(cells) = none.

        Walls stop it, players, and tokens that it does not destroy.
        """
        body, width, none = world.body, self.ground.width, len(world.cells)
        reach = maps.reach(self.map, self.beam_length, self.beam_radius)
        open_ = jnp.where(fires[:, None], jnp.asarray(reach)[body.facing, body.at], 0)
        ahead, right = kernel.offset(body.facing, width), kernel.offset((body.facing + 1) & 3, width)
        stops = kernel.done(self._stops(world))
        spots: list[Array] = []
        for line in range(2 * self.beam_radius + 1):
            going, side = jnp.ones(2, bool), line - self.beam_radius
            for step, far in enumerate(maps.line(side, self.beam_length)):
                spot = body.at + far * ahead + side * right
                spots.append(jnp.where(going & (step < open_[:, line]), spot, none))
                going &= ~stops[spot]
        return jnp.stack(spots, 1)

    def _stops(self, world: World) -> Array:
        """bool[cells]: what a beam does not pass: a player, or a token that one more beam does not destroy."""
        where, cells = self._strip, world.cells
        strong = (cells[where] >= GREEN) & (world.own.field.hits + 1 < self.health)
        strong = jnp.pad(strong, (where.start, len(cells) - where.stop))
        return strong | (kernel.stand(cells, world.body) >= kernel.WHO)

    def _taken(self, world: World, spots: Array) -> tuple[Array, Field]:
        """(cells, field) after what players stand on was collected, and what beams got to was hit."""
        where, field, cells = self._strip, world.own.field, world.cells
        lies = cells[where] >= GREEN
        hits = field.hits + lies * kernel.done(self._hits(spots))
        broken = hits >= self.health
        gone = kernel.done(lies & (broken | self._stood(world.body)))
        wait = jnp.where(gone, jnp.uint8(self.delay), field.wait - (field.wait > 0))
        cells = kernel.put(cells, where, jnp.where(gone, np.uint8(kernel.FLOOR), cells[where]))
        return cells, Field(field.kind, wait.astype(jnp.uint8), jnp.where(broken, 0, hits).astype(jnp.uint8))

    def _hits(self, spots: Array) -> Array:
        """uint8[cells of the strip]: how many beams got there."""
        where = self._strip
        inside = jnp.where((spots >= where.start) & (spots < where.stop), spots - where.start, where.stop - where.start)
        return jnp.zeros(where.stop - where.start, jnp.uint8).at[inside.ravel()].add(np.uint8(1), mode="drop")

    def _settle(self, world: World, met: Array) -> tuple[World, Array]:
        """An interaction begins, or one that is over pays and sends both away."""
        own, due = world.own, world.own.frozen == 1
        part = (own.bag[:, 0] / jnp.maximum(own.bag.sum(1), 1)).astype(jnp.float32)
        points = self._pay(part)
        own = own._replace(
            bag=jnp.where(due, self.initial, own.bag),
            ready=own.ready & ~due,
            frozen=jnp.where(met, self.freeze, jnp.maximum(own.frozen - 1, 0)),
            met=met,
            showed=jnp.where(met, own.bag, own.showed),
            paid=jnp.where(due, points, own.paid),
            count=own.count + met,
            green=own.green + jnp.where(met, part, 0),
        )
        body = world.body._replace(out=jnp.where(due, self.away, world.body.out))
        return world._replace(body=body, own=own), jnp.where(due, points, 0)

    def _pay(self, green: Array) -> Array:
        """float32[2]: what each gets when they meet with these green parts of their bags."""
        r, s, t, p = (jnp.float32(value) for value in self.rstp)
        other = green[::-1]
        return green * (other * r + (1 - other) * s) + (1 - green) * (other * t + (1 - other) * p)

    def judge(self, world: World) -> Array:
        own = world.own
        return jnp.where(own.count > 0, own.green / jnp.maximum(own.count, 1), jnp.nan).astype(jnp.float32)

    def fresh(self, own: Own) -> Own:
        return own._replace(count=jnp.zeros_like(own.count), green=jnp.zeros_like(own.green))

    def seen(self, world: World) -> Seen:
        own, frozen = world.own, jnp.broadcast_to(world.own.frozen, 2)
        sees = (world.body.out == 0) & self._sees(world.body)[ME, OTHER]
        other_ready = jnp.where(sees, own.ready[::-1], -1).astype(jnp.int32)
        return Seen(own.wait, own.bag, own.collected, own.ready, other_ready, frozen, own.showed, own.showed[::-1], own.paid)

    def toward(self, state: World) -> Array:
        return jnp.array([1, 0], jnp.int32)

    def facts(self, state: World) -> dict[str, Array]:
        own = state.own
        facts = {"collected": own.collected, "green": own.bag[:, 0], "red": own.bag[:, 1], "met": own.met, "frozen": own.frozen}
        return {**facts, "out": state.body.out}

    def rules(self, seat: int) -> str:
        r, s, t, p = (f"{float(value):g}" for value in self.rstp)
        wide = 2 * self.beam_radius + 1
        again = f" You can interact again after {words.steps(self.beam_wait)}." if self.beam_wait else ""
        delay = f", from {words.steps(self.delay)} later on" if self.delay else ""
        return (
            f"{self.walking} There are green and red tokens; whoever comes to a cell with a token collects it. An empty bag holds "
            f"{int(self.initial)} of each. To interact sends a beam {self.beam_length} cells ahead, {wide} wide; in each line walls, "
            f"players and tokens stop it, but {int(self.health)} hits destroy a token.{again} When a beam hits the other player, and both "
            "have collected since their bags were last emptied, the two interact, and their bags decide on their points: two all green "
            f"ones get {r} points each, two all red ones {p} each; of a green and a red one the green one gets {s}, the red one {t}; for "
            "mixed bags it is the average over each token of one with each token of the other. Both stand still for "
            f"{words.steps(self.freeze)}, in the last of which they get their points and their bags are emptied; then they are out for "
            f"{words.steps(self.away)}, all tokens come back, and so do they, somewhere else. A token that was taken or destroyed also "
            f"comes back with probability {self.growth:g} a step{delay}, where nobody stands. At an interaction each learns what "
            "the other's bag held; otherwise you do not see it, only, where you see the other, whether it has collected."
        )

    def recount(self, mine: Sight) -> list[str]:
        own = mine.own
        said = [f"You collected a {self.things[int(own.collected)]} in the last step."] * bool(own.collected)
        said.append(f"Your bag holds {_bag(own.bag)}; you have {'' if own.ready else 'not '}collected since it was last emptied.")
        if own.other_ready >= 0:
            said.append(f"The other has {'' if own.other_ready else 'not '}collected.")
        if own.mine[0] >= 0:
            points = f"the points come in {words.steps(own.frozen)}" if own.frozen else f"you got {float(own.paid):.4g} points"
            said.append(f"At the last interaction your bag held {_bag(own.mine)}, the other's {_bag(own.theirs)}; {points}.")
        return said + [f"You can interact again in {words.steps(own.wait)}."] * bool(own.wait)

    def yardsticks(self) -> dict[str, float]:
        """`welfare`: as many interactions as the map allows, each the best one."""
        r, s, t, p = (float(value) for value in self.rstp)
        return {"welfare": self.meetings() * max(2 * r, s + t, 2 * p)}

    def meetings(self) -> int:
        """How many interactions can be paid in a match, at most: to each of them both walk from where they come in to a token."""
        walk, cycle = self._walk(), int(self.freeze) + int(self.away)
        return max(0, (self.max_steps + int(self.away)) // (walk + cycle))

    def _walk(self) -> int:
        """Steps that it takes at least until each of two who come in somewhere has collected."""
        size = (self.ground.height, self.ground.width)
        lies, open_ = (jnp.asarray(mask.reshape(size)) for mask in (self._lies, ~self.ground.walls))
        far = np.asarray(paths.flood(lies, open_, sum(size))).ravel()
        return int(np.sort(far[self.ground.kinds["spawn"]])[1])

    def oracles(self) -> list[Oracle]:
        r, s, t, p = (float(value) for value in self.rstp)
        corners, count = (2 * r, s + t, 2 * p), self.meetings()
        most, least = count * max(*corners, 0.0), count * min(*corners, 0.0)
        best, worst = f"the best cell at each of {count} interactions, or none", f"the worst cell at each of {count} interactions, or none"
        return [
            Oracle("welfare_sum", "ceiling", most, "bound", best),
            Oracle("welfare_sum", "floor", least, "bound", worst),
            Oracle("gain", "ceiling", most / 2, "bound", best),
            Oracle("gain", "floor", least / 2, "bound", worst),
        ]


def _bag(tokens: np.ndarray) -> str:
    return f"{int(tokens[0])} green and {int(tokens[1])} red"
