"""A game on a grid: bodies walk and act, things grow, the clock goes by rounds of many steps."""

from __future__ import annotations

from typing import Any, ClassVar, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from commonage import seeds
from commonage.game import Ask, Game, Question, Turn, everyone, numpy
from commonage.grid import goals, kernel, maps, picture, words
from commonage.grid.kernel import Body
from commonage.grid.led import Led, Step
from commonage.part import bound, static

WALKING = ("stay", "forward", "back", "left", "right", "turn left", "turn right")


class World(NamedTuple):
    clock: Array  # int32[]: steps played
    cells: Array  # uint8[cells]: what lies where, row by row
    body: Body
    own: Any  # the game's own arrays


class Sight(NamedTuple):
    clock: Array  # int32[seats]
    seat: Array  # int32[seats]: my number at the table, from 0
    view: Array  # uint8[seats, lines, columns]: `code + 16 (seat + 1 of who stands there)`, me at the bottom but one, in the middle
    at: Array  # int32[seats, 2]: row and column, from the upper left
    facing: Array  # int32[seats]: 0 north, 1 east, 2 south, 3 west
    out: Array  # int32[seats]: steps until I come back; 0 = I am there
    players: Array  # int32[seats, seats, 3]: row, column, facing of each whom I see; -1 of others
    own: Any  # the game's own, by seat


class Grid(Game, Led):
    """Subclass it: what lies on the map, what grows, what acting does."""

    map: str = static(default="")
    seats: int = static(default=7)
    rounds: int = static(default=20)
    round_steps: int = static(default=50)
    sure: int = static(default=0)  # rounds after which it may end by chance; 0 = it never does
    stop: float = 0.2  # how likely that is at the end of each such round
    whole: bool = static(default=False)  # everybody sees the whole map, north up, instead of a window that turns with them
    overlap: bool = static(default=False)  # players may stand on one cell

    wide = True
    lasting: ClassVar[tuple[str, ...]] = ("map", "round_steps")
    levels: ClassVar[tuple[str, ...]] = ()  # the names of its maps
    things: ClassVar[tuple[str, ...]] = ("unseen", "floor", "wall")  # the names of the codes
    acts: ClassVar[tuple[str, ...]] = ()  # moves besides walking
    aims: ClassVar[dict[str, str]] = {}  # the thing that an act is for; of others a player
    window: ClassVar[tuple[int, int, int]] = (9, 1, 5)  # cells seen ahead, behind, at each side

    def check(self) -> None:
        self.require(2 <= self.seats <= 15, "seats", "between 2 and 15")
        self.require(self.rounds >= 1, "rounds", "at least 1")
        self.require(self.round_steps >= 1, "round_steps", "at least 1")
        self.require(0 <= self.sure <= self.rounds, "sure", f"between 0 and the number of rounds, which is {self.rounds}")
        self.require(0 <= self.stop <= 1, "stop", "between 0 and 1")
        if self.levels:
            self._check_map()

    def _check_map(self) -> None:
        self.require(self.map in self.levels, "map", " or ".join(self.levels))
        spots = int(self.ground.kinds["spawn"].sum())
        enough = self.overlap or self.seats <= spots
        self.require(enough, "seats", f"at most {spots}, the cells of {self.map} where players come in, unless they may overlap")

    @property
    def ground(self) -> maps.Map:
        """Its map."""
        return maps.load(self.map)

    home: ClassVar[bool] = False  # whoever comes back does so where it was
    late: ClassVar[bool] = False  # what grows does so after the moves, not before them

    def lay(self, key: Array) -> Array:
        """uint8[cells]: what lies where at the start."""
        raise NotImplementedError

    def begin(self) -> Any:
        """Its own arrays at the start."""
        raise NotImplementedError

    def grow(self, key: Array, world: World) -> Array:
        """uint8[cells] after what grows by itself has grown."""
        raise NotImplementedError

    def act(self, key: Array, world: World, moves: Array) -> tuple[World, Array]:
        """(world, rewards float32[seats]) after what those do who have just walked. Whom it sends away it gives `body.out`."""
        raise NotImplementedError

    def judge(self, world: World) -> Array:
        """float32[seats]: deeds of the round that is over, of those who are there at its end."""
        raise NotImplementedError

    def fresh(self, own: Any) -> Any:
        """Its own arrays when a round begins: what is counted by the round is 0."""
        return own

    def seen(self, world: World) -> Any:
        """What a seat sees besides: a NamedTuple of arrays, leading axis = seats."""
        return ()

    @property
    def questions(self) -> tuple[Question, ...]:
        return (Question("move", (*WALKING, *self.acts)),)

    @property
    def goals(self) -> tuple[str, ...]:
        return tuple(goal.words for goal in goals.goals(self))

    def ways(self, sight: Any) -> list[Step]:
        return [goals.lead(sight, self.window, goal) for goal in goals.goals(self)]

    def start(self, key: Array) -> World:
        draws, none = seeds.fold(key, self.label, "start"), jnp.zeros(self.seats, jnp.int32)
        body = self._place(draws, Body(none, none, none), jnp.ones(self.seats, bool))
        return World(jnp.int32(0), self.lay(seeds.fold(draws, "ground")), body, self.begin())

    def ask(self, state: World) -> Ask:
        ask = everyone(self)
        return ask._replace(which=jnp.where(state.body.out == 0, ask.which, -1))

    def step(self, key: Array, state: World, moves: Array) -> Turn:
        draws, clock = seeds.fold(key, self.label, state.clock), state.clock + 1
        away, grow = state.body.out, lambda world: world._replace(cells=self.grow(seeds.fold(draws, "grow"), world))
        world = state if self.late else grow(state)
        body = kernel.done(kernel.walk(seeds.fold(draws, "walk"), world.body, moves, self.ground, self.overlap))
        world, rewards = self.act(seeds.fold(draws, "act"), world._replace(body=body), moves)
        world = (grow(world) if self.late else world)._replace(clock=clock)
        world = world._replace(body=kernel.done(self._back(seeds.fold(draws, "back"), world.body, away)))
        over = clock % self.round_steps == 0
        deeds = jnp.where(over & (moves >= 0), self.judge(world), jnp.nan)
        own = self._fresh(over, world.own)
        chance = (self.sure > 0) & over & (clock >= self.sure * self.round_steps) & seeds.chance(seeds.fold(draws, "stop"), self.stop)
        last = clock >= self.max_steps
        return Turn(world._replace(own=own), rewards, over, chance & ~last, last, deeds)

    def _fresh(self, over: Array, own: Any) -> Any:
        return jax.tree.map(lambda new, old: old if new is old else jnp.where(over, new, old), self.fresh(own), own)

    def _back(self, key: Array, body: Body, away: Array) -> Body:
        """Whoever was away has a step less to wait, and comes back when there is none left."""
        body = body._replace(out=jnp.where(away > 0, away - 1, body.out))
        return body if self.home else self._place(key, body, away == 1)

    def _place(self, key: Array, body: Body, coming: Array) -> Body:
        return kernel.come_back(key, body, coming, np.flatnonzero(self.ground.kinds["spawn"]))

    def look(self, state: World) -> Sight:
        body, ground = state.body, self.ground
        cells = kernel.done(kernel.stand(state.cells, body))
        if self.whole:
            view = jnp.broadcast_to(cells.reshape(ground.height, ground.width), (self.seats, ground.height, ground.width))
        else:
            view = kernel.window(cells, body, ground, *self.window)
        here = (body.out == 0)[:, None]
        place = jnp.stack([body.at // ground.width, body.at % ground.width], -1)
        players = jnp.where((here & self._sees(body))[..., None], jnp.column_stack([place, body.facing])[None], -1)
        clock = jnp.broadcast_to(state.clock, self.seats)
        return Sight(
            clock,
            jnp.arange(self.seats),
            jnp.where(here[..., None], view, kernel.UNSEEN),
            place,
            body.facing,
            body.out,
            players,
            self.seen(state),
        )

    def tell(self, state: World, seat: int) -> str:
        sight = numpy(bound(type(self).look, self)(state))
        mine = type(sight)(*(jax.tree.map(lambda leaf: leaf[seat], field) for field in sight))
        clock, (row, column) = int(mine.clock), mine.at.tolist()
        said = [f"Round {clock // self.round_steps + 1} of {self.rounds}, step {clock % self.round_steps + 1} of {self.round_steps}."]
        if mine.out:
            return " ".join([*said, f"You are out, see nothing, and come back in {words.steps(mine.out)}.", *self.recount(mine)])
        said.append(f"You stand at row {row + 1}, column {column + 1}, and face {words.FACING[int(mine.facing)]}.")
        me = (row, column) if self.whole else (self.window[0], self.window[2])
        said += words.around(mine.view, me, int(mine.facing), self.things, mine.players, not self.whole)
        return " ".join([*said, *self.recount(mine)])

    def recount(self, mine: Sight) -> list[str]:
        """Sentences on what a seat sees besides its view: what it did and what befell it in the last step."""
        return []

    def scene(self, state: World) -> list[dict[str, Any]]:
        return self.draw(state.cells, state.body)

    def glimpse(self, state: World, seat: int) -> list[dict[str, Any]]:
        """The map as far as the seat sees it, north up; the rest is unseen."""
        mine = np.asarray(self._sees(state.body))[seat] & (state.body.out[seat] == 0)
        body = state.body._replace(out=np.where(mine, state.body.out, 1))
        near = picture.near(state.body, seat, self.ground, None if self.whole else self.window)
        return self.draw(np.where(near, np.asarray(state.cells), kernel.UNSEEN), body)

    def draw(self, cells: Any, body: Body) -> list[dict[str, Any]]:
        """Shapes of cells by their codes, and of the players that are not out."""
        return picture.draw(cells, body, self.ground, self.things)

    @property
    def walking(self) -> str:
        """What is the same in the rules of all of them."""
        ahead, behind, side = self.window
        sees = "the whole map" if self.whole else f"{ahead} cells ahead, {behind} behind and {side} to each side"
        crowd = "Several may stand on one cell" if self.overlap else "Two never stand on one cell; where two want the same, chance decides"
        ends = f" From round {self.sure} on it ends after each with probability {float(self.stop):g}." if self.sure else ""
        return (
            f"{self.seats} players walk on a map of {self.ground.height} rows and {self.ground.width} columns, all at the same time. "
            f"A step forward, back, left or right is one cell as you face; a turn takes a step of its own. {crowd}. "
            f"You see {sees}. There are {self.rounds} rounds of {self.round_steps} steps.{ends}"
        )

    def _sees(self, body: Body) -> Array:
        """bool[seats, seats]: whom (column) each sees."""
        ahead, behind, side = self.window
        far, across = kernel.relative(body, self.ground.width)
        return (body.out == 0) & (self.whole | ((far <= ahead) & (far >= -behind) & (abs(across) <= side)))
