"""The kitchen of Overcooked: cooks fetch, boil and serve soups, and whatever anybody serves pays them all (Carroll et al. 2019).

Rules are those of `overcooked_ai`, in both of its dynamics; `docs/kitchen.md` has every rule beside theirs.
"""

from __future__ import annotations

import functools
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np
from jax import Array

from commonage.game import Ask, Game, Oracle, Question, Turn, everyone, numpy
from commonage.games.kitchen import picture, words
from commonage.grid import errands
from commonage.grid.kitchen import (
    COUNTER,
    DISH,
    DISHES,
    FAR,
    INTERACT,
    MOVES,
    NAMES,
    NOTHING,
    ONION,
    ONIONS,
    POT,
    ROOM,
    SERVING,
    SOUP,
    STAY,
    TICK,
    TOMATO,
    TOMATOES,
    add,
    contents,
    count,
    kind,
    load,
    recipes,
    tick,
)
from commonage.grid.kitchen import Kitchen as Map
from commonage.grid.led import Led, Step
from commonage.part import bound, static

DYNAMICS = ("old", "new")
DID = (
    "nothing", "stay", "walk", "turn", "held up", "in vain", "take onion", "take tomato", "take dish", "put down", "pick up", "fill",
    "start", "take soup", "serve",
)  # fmt: skip
(
    NONE, STAYED, WALKED, TURNED, HELD_UP, IN_VAIN, TOOK_ONION, TOOK_TOMATO, TOOK_DISH, PUT_DOWN, PICKED_UP, FILLED, STARTED, TOOK_SOUP,
    SERVED,
) = range(len(DID))  # fmt: skip
ERRANDS = {  # what an act of DID amounts to
    TOOK_ONION: "fetch an onion", TOOK_TOMATO: "fetch a tomato", TOOK_DISH: "fetch a dish", PUT_DOWN: "put it down",
    FILLED: "put it into a pot", STARTED: "start a pot", TOOK_SOUP: "take a soup", SERVED: "serve it",
}  # fmt: skip


class World(NamedTuple):
    clock: Array  # int32[]: steps played
    at: Array  # int32[seats]: the cell
    facing: Array  # int32[seats]: 0 north, 1 south, 2 east, 3 west
    held: Array  # int32[seats]: the thing in each one's hands, as `grid.kitchen` numbers them
    things: Array  # int32[cells]: what lies on each counter, and is in each pot
    laid: Array  # uint8[cells]: the seat, from 1, that put it there; 0: nobody, or it is in a pot
    did: Array  # int32[seats]: what each did in the last step, of DID
    whose: Array  # int32[seats]: the seat, from 1, that had laid what each picked up in the last step; else 0
    sparse: Array  # float32[seats]: what each served in the last step was worth
    shaped: Array  # float32[seats]: the shaped reward of each for the last step


class Sight(NamedTuple):
    """The state; whose turn it is makes no difference but to `planes`. Everybody sees everything."""

    clock: Array  # int32[seats]
    seat: Array  # int32[seats]: my number at the table, from 0
    at: Array  # int32[seats, seats]: the cell of each player
    facing: Array  # int32[seats, seats]: 0 north, 1 south, 2 east, 3 west
    held: Array  # int32[seats, seats]: what each holds
    things: Array  # int32[seats, cells]: what lies on each counter, and is in each pot
    left: Array  # int32[seats, cells]: steps until the soup there is ready, 0: it is; -1: there is none, or it does not cook
    did: Array  # int32[seats, seats]: what each did in the last step, of DID
    sparse: Array  # float32[seats, seats]: what each served then was worth
    planes: Array  # uint8[seats, PLANES, rows, columns], as `PLANES` names them


PLANES = (
    "me", "others", *(f"{who} facing {way}" for who in ("me", "others") for way in MOVES[:4]), "counter", "onions", "tomatoes", "dishes",
    "pot", "serving", "onion", "tomato", "dish", "soup", "onions in the soup", "tomatoes in the soup", "steps until it is ready", "ready",
)  # fmt: skip


class Kitchen(Game, Led):
    """Two or more cooks; everybody's reward is what was served in the step, by whomever. Places differ: seat i starts at start i.

    `layout`: a name, the path of a text file, or rows divided by `/`: a space is floor, X counter, O onions, T tomatoes, D dishes,
    P pot, S serving, 1 and so on where players start. `dynamics`: old, a pot starts by itself when it holds three; new, when
    somebody with empty hands starts it. `orders` and `bonus`: recipes such as `oot`; what is not ordered is worth nothing, what is
    among the bonus orders `order_bonus` times as much. A recipe has one of `values` and `times` if it is among `recipes`, else the sum
    over its ingredients if `by_value` or `by_time` give theirs (an onion's, a tomato's), else `value` and `time`. `shaped`
    adds to each seat's reward its own `fill`, `fetch` and `take`: for an ingredient into a pot, a dish of use, a soup taken.
    """

    layout: str = static(default="cramped_room")
    dynamics: str = static(default="old")
    rounds: int = static(default=8)
    round_steps: int = static(default=50)
    orders: tuple[str, ...] = static(default=("ooo",))
    bonus: tuple[str, ...] = static(default=())
    order_bonus: float = 2.0
    value: float = static(default=20.0)
    time: int = static(default=20)
    by_value: tuple[float, ...] = static(default=())
    by_time: tuple[int, ...] = static(default=())
    recipes: tuple[str, ...] = static(default=())
    values: tuple[float, ...] = static(default=())
    times: tuple[int, ...] = static(default=())
    shaped: bool = static(default=False)
    fill: float = 3.0
    fetch: float = 3.0
    take: float = 5.0

    wide = True
    lasting = ("layout", "round_steps")
    spares = True
    deeds = False  # no move helps at another's cost: all are paid alike

    def check(self) -> None:
        self.map  # noqa: B018  a layout that cannot be read is refused here
        known = {name for name in recipes() if name}
        self.require(self.dynamics in DYNAMICS, "dynamics", " or ".join(DYNAMICS))
        self.require(self.rounds >= 1, "rounds", "at least 1")
        self.require(self.round_steps >= 1, "round_steps", "at least 1")
        for field in ("orders", "bonus", "recipes"):
            given = getattr(self, field)
            self.require(known.issuperset(given) and len(set(given)) == len(given), field, f"different ones of {', '.join(sorted(known))}")
        self.require(set(self.bonus) <= set(self.orders), "bonus", f"among the orders, which are {', '.join(self.orders)}")
        for field in ("by_value", "by_time"):
            self.require(len(getattr(self, field)) in (0, 2), field, "one number for an onion and one for a tomato")
        for field in ("values", "times"):
            given = getattr(self, field)
            self.require(len(given) in (0, len(self.recipes)), field, f"as many as recipes, which are {len(self.recipes)}")
        self.require(min(self._table("time")) >= 0 and max(self._table("time")) < 2**20, "time", "between 0 and 1,048,575")

    @property
    def map(self) -> Map:
        """Its terrain, and where its players start."""
        return load(self.layout)

    @property
    def seats(self) -> int:  # type: ignore[override]
        return len(self.map.starts)

    @property
    def roles(self) -> tuple[str, ...]:  # type: ignore[override]
        return tuple(f"start {seat + 1}" for seat in range(self.seats))

    @property
    def questions(self) -> tuple[Question, ...]:
        return (Question("move", MOVES, neutral=STAY),)

    def _table(self, what: str) -> tuple[float, ...]:
        """The `value` or `time` of every index of a table by recipe, ordered or not."""
        own = dict(zip(self.recipes, getattr(self, f"{what}s"), strict=False))
        onion, tomato = getattr(self, f"by_{what}") or (None, None)
        other = lambda name: getattr(self, what) if onion is None else onion * name.count("o") + tomato * name.count("t")
        return tuple(own.get(name, other(name)) if name else 0 for name in recipes())

    @property
    def cooking(self) -> np.ndarray:
        """int32[64]: the time of every recipe, by `contents`."""
        return np.array(self._table("time"), np.int32)

    def worth(self) -> Any:
        """float32[64]: what every recipe is worth when it is served, by `contents`."""
        base = np.array(self._table("value"), np.float32) * np.isin(recipes(), self.orders)
        return jnp.where(np.isin(recipes(), self.bonus), base * self.order_bonus, base).astype(jnp.float32)

    def start(self, key: Array) -> World:
        none, cells = jnp.zeros(self.seats, jnp.int32), len(self.map.terrain)
        points = jnp.zeros(self.seats, jnp.float32)
        empty = jnp.zeros(cells, jnp.int32)
        at = jnp.array(self.map.starts, jnp.int32)
        return World(jnp.int32(0), at, none, none, empty, empty.astype(jnp.uint8), none, none, points, points)

    def ask(self, state: World) -> Ask:
        return everyone(self)

    def step(self, key: Array, state: World, moves: Array) -> Turn:
        world = self._cook(self._walk(self._interact(state, moves), moves))
        world = world._replace(clock=state.clock + 1)
        rewards = world.sparse.sum() + (world.shaped if self.shaped else 0)
        over, last = world.clock % self.round_steps == 0, world.clock >= self.max_steps
        none = jnp.full(self.seats, jnp.nan, jnp.float32)
        return Turn(world, jnp.broadcast_to(rewards, self.seats).astype(jnp.float32), over, jnp.array(False), last, none)

    def _interact(self, world: World, moves: Array) -> World:
        """Whoever interacts does so in the order of seats: the later finds what the earlier left."""
        terrain, n = self.map.terrain, self.seats
        spots = jnp.asarray(self.map.faced)[world.at * 4 + world.facing]
        grounds, cells = jnp.asarray(terrain)[spots], np.arange(len(terrain), dtype=np.int32)
        lies = [world.things[spots[i]] for i in range(n)]
        laid = [world.laid[spots[i]].astype(jnp.int32) for i in range(n)]
        dishes = (world.things * (terrain == COUNTER) == DISH).sum()  # on counters
        holding = (kind(world.held) == DISH).sum()
        pots = self._pots(world.things)
        rows = []
        for i in range(n):
            for j in range(i):  # the same cell, as an earlier one left it
                same = spots[i] == spots[j]
                lies[i], laid[i] = jnp.where(same, lies[j], lies[i]), jnp.where(same, laid[j], laid[i])
            useful = (dishes == 0) & (holding < pots) if n == 2 else jnp.array(False)
            was = lies[i]
            held, now, by, did, paid, extra = self._act(i, moves[i] == INTERACT, grounds[i], world.held[i], was, laid[i], useful)
            dishes += (grounds[i] == COUNTER) * ((now == DISH) * 1 - (was == DISH))
            holding += (held == DISH) * 1 - (world.held[i] == DISH)
            whose = jnp.where(did == PICKED_UP, laid[i], 0)
            lies[i], laid[i] = now, by
            rows.append((held, did, whose, paid, extra))
        things, owners = world.things, world.laid
        for i in range(n):
            here = cells == spots[i]
            things, owners = jnp.where(here, lies[i], things), jnp.where(here, laid[i].astype(jnp.uint8), owners)
        held, did, whose, sparse, shaped = (jnp.stack(column) for column in zip(*rows, strict=True))
        return world._replace(
            held=held,
            things=things,
            laid=owners,
            did=did,
            whose=whose,
            sparse=sparse.astype(jnp.float32),
            shaped=shaped.astype(jnp.float32),
        )

    def _act(self, seat: int, acts: Array, ground: Array, held: Array, lies: Array, laid: Array, useful: Array) -> tuple[Array, ...]:
        """(held, what lies there, who laid it, what it did, points, shaped) after one seat's interaction with what it faces."""
        empty, what, there = held == NOTHING, kind(held), kind(lies)
        full = (count(lies) >= ROOM) | (tick(lies) >= 0)
        at = lambda terrain: acts & (ground == terrain)
        onion, tomato, dish = (at(terrain) & empty for terrain in (ONIONS, TOMATOES, DISHES))
        down, up = at(COUNTER) & ~empty & (lies == NOTHING), at(COUNTER) & empty & (lies != NOTHING)
        fill = at(POT) & ((what == ONION) | (what == TOMATO)) & ~full
        idle = (there == SOUP) & (tick(lies) < 0) & (contents(lies) > 0)
        start = at(POT) & empty & idle if self.dynamics == "new" else jnp.array(False)
        ready = (there == SOUP) & (tick(lies) >= jnp.asarray(self.cooking)[contents(lies)]) & (tick(lies) >= 0)
        take, serve = at(POT) & (what == DISH) & ready, at(SERVING) & (what == SOUP)
        done = (onion, tomato, dish, down, up, fill, start, take, serve)
        did = sum(code * yes for code, yes in enumerate(done, TOOK_ONION))
        gets = ONION * onion + TOMATO * tomato + DISH * dish + jnp.where(up | take, lies, 0)
        keeps = ~(onion | tomato | dish | down | up | fill | take | serve)
        now = jnp.where(down, held, jnp.where(up | take, NOTHING, jnp.where(fill, add(lies, held), lies + (start << TICK))))
        return (
            jnp.where(keeps, held, gets),
            now,
            jnp.where(down, seat + 1, jnp.where(up, 0, laid)),
            jnp.where(did > 0, did, jnp.where(acts, IN_VAIN, NONE)),
            jnp.where(serve, self.worth()[contents(held)], 0),
            jnp.where(fill, self.fill, 0) + jnp.where(dish & useful, self.fetch, 0) + jnp.where(take, self.take, 0),
        )

    def _pots(self, things: Array) -> Array:
        """int32[]: how many pots hold a soup that is ready, cooks, or lacks something."""
        soups = things[self.map.cells(POT)]
        return ((kind(soups) == SOUP) & ((tick(soups) >= 0) | ((count(soups) > 0) & (count(soups) < ROOM)))).sum()

    def _walk(self, world: World, moves: Array) -> World:
        """All at once: into a cell that another leaves one may follow; if any two would share a cell, or swap, nobody walks."""
        n, at, walks = self.seats, world.at, (moves >= 0) & (moves < STAY)
        wanted = jnp.asarray(self.map.next)[at * 8 + jnp.where(walks, moves, STAY)]
        pairs = [(i, j) for i in range(n) for j in range(i)]
        clash = lambda i, j: (wanted[i] == wanted[j]) | ((wanted[i] == at[j]) & (wanted[j] == at[i]))
        barred = functools.reduce(jnp.logical_or, (clash(i, j) for i, j in pairs))
        moved = jnp.where(wanted == at, TURNED, jnp.where(barred, HELD_UP, WALKED))
        did = jnp.where(walks, moved, jnp.where(moves == STAY, STAYED, world.did))
        return world._replace(at=jnp.where(barred, at, wanted), facing=jnp.where(walks, moves, world.facing), did=did)

    def _cook(self, world: World) -> World:
        """The environment's part of a step: soups that cook do so a tick further. By the old dynamics a full pot has started before."""
        things = world.things
        if self.dynamics == "old":
            starts = (kind(things) == SOUP) & (tick(things) < 0) & (count(things) == ROOM)
            things = things + (starts << TICK)
        cooks = (kind(things) == SOUP) & (tick(things) >= 0) & (tick(things) < self._times(things))
        return world._replace(things=things + (cooks << TICK))

    def _times(self, things: Array) -> Any:
        """The time of each soup; where all recipes have one, it is known beforehand."""
        times = {time for time, name in zip(self.cooking.tolist(), recipes(), strict=True) if name}
        return times.pop() if len(times) == 1 else jnp.asarray(self.cooking)[contents(things)]

    def look(self, state: World) -> Sight:
        n = self.seats
        everybody = lambda rows: jnp.broadcast_to(rows, (n, *rows.shape))
        left = self.left(state.things)
        planes = jnp.stack([self._planes(state, left, seat) for seat in range(n)])
        at, facing, held, things, waits, did, sparse = map(
            everybody, (state.at, state.facing, state.held, state.things, left, state.did, state.sparse)
        )
        clock, seats = jnp.broadcast_to(state.clock, n), jnp.arange(n, dtype=jnp.int32)
        return Sight(clock, seats, at, facing, held, things, waits, did, sparse, planes)

    def left(self, things: Any) -> Any:
        """int32[cells]: steps until the soup there is ready; -1 where there is none, or it does not cook."""
        cooks = (kind(things) == SOUP) & (tick(things) >= 0)
        return jnp.where(cooks, jnp.maximum(self._times(things) - tick(things), 0), -1).astype(jnp.int32)

    def _planes(self, state: World, left: Array, seat: int) -> Array:
        """uint8[PLANES, rows, columns], as one seat sees it; what is held lies where its holder stands."""
        terrain, cells = self.map.terrain, np.arange(len(self.map.terrain), dtype=np.int32)
        stands = [cells == state.at[i] for i in range(self.seats)]
        others = [i for i in range(self.seats) if i != seat]
        either = lambda masks: functools.reduce(jnp.logical_or, masks)
        faces = lambda seats, way: either([stands[i] & (state.facing[i] == way) for i in seats])
        things = state.things
        for i in range(self.seats):
            things = jnp.where(stands[i], state.held[i], things)
        digits = [contents(things) >> 2 * place & 3 for place in range(ROOM)]
        planes = [
            stands[seat],
            either([stands[i] for i in others]),
            *(faces([seat], way) for way in range(4)),
            *(faces(others, way) for way in range(4)),
            *(terrain == ground for ground in range(COUNTER, SERVING + 1)),
            *(kind(things) == what for what in range(ONION, SOUP + 1)),
            *(sum((digit == what) * 1 for digit in digits) for what in (ONION, TOMATO)),
            jnp.clip(left, 0, FAR),
            left == 0,
        ]
        return jnp.stack([jnp.asarray(plane).astype(jnp.uint8) for plane in planes]).reshape(-1, self.map.height, self.map.width)

    def facts(self, state: World) -> dict[str, Array]:
        """By seat, of the last step: `did` is its number in DID, `handed` that it picked up what another had laid down."""
        n, did = np.arange(1, self.seats + 1), state.did
        number = lambda yes: yes.astype(jnp.int32)
        return {
            "did": did,
            "delivered": number(did == SERVED),
            "sparse": state.sparse,
            "shaped": state.shaped,
            "collided": number((did == HELD_UP).any()),
            "held_up": number(did == HELD_UP),
            "idle": number(did == STAYED),
            "in_vain": number(did == IN_VAIN),
            "wasted": number((did == SERVED) & (state.sparse == 0)),
            "handed": number((state.whose > 0) & (state.whose != n)),
            "retaken": number(state.whose == n),
            "holds": kind(state.held),
        }

    def rules(self, seat: int) -> str:
        return words.rules(self, seat)

    def tell(self, state: World, seat: int) -> str:
        sight = numpy(bound(type(self).look, self)(state))
        return words.tell(self, type(sight)(*(field[seat] for field in sight)))

    def scene(self, state: World) -> list[dict[str, Any]]:
        return picture.draw(self.map, state, np.asarray(self.left(state.things)), self.cooking)

    def glimpse(self, state: World, seat: int) -> list[dict[str, Any]]:
        return self.scene(state)

    @property
    def goals(self) -> tuple[str, ...]:
        return errands.errands(self.map, self.dynamics == "new")

    def ways(self, sight: Any) -> list[Step]:
        held_up = np.asarray(sight.did) == HELD_UP
        yields = bool(held_up[sight.seat] and held_up[: sight.seat].any())  # of two in each other's way the later seat waits a step
        return errands.lead(sight, self.layout, self.dynamics == "new", yields)

    def hindrance(self, sight: Any, goal: int) -> str:
        return errands.hindrance(sight, self.map, self.dynamics == "new", goal)

    def done(self, sight: Any, seat: int) -> int:
        did = int(sight.did[seat])
        name = f"pick up {NAMES[int(kind(sight.held[seat]))]}" if did == PICKED_UP else ERRANDS.get(did)
        return self.goals.index(name) if name in self.goals else -1

    @property
    def most(self) -> float:
        """What can be served at most: a pot gives a soup in as many steps as it cooks, and a soup takes so many interactions."""
        table = zip(recipes(), self.cooking.tolist(), np.asarray(self.worth()).tolist(), strict=True)
        ordered = [(name, time, value) for name, time, value in table if name in self.orders and value > 0]
        if not ordered:
            return 0.0
        cooked = len(self.map.cells(POT)) * (self.max_steps // max(1, min(time for _, time, _ in ordered)))
        handled = self.seats * self.max_steps // min(2 * len(name) + 3 for name, _, _ in ordered)
        return max(value for _, _, value in ordered) * min(cooked, handled)

    def oracles(self) -> list[Oracle]:
        """Of the score, which each seat gets: `welfare_mean` and `gain`."""
        if self.shaped or min(np.asarray(self.worth()).tolist()) < 0:
            return []
        why = "a pot gives one soup in its cooking time; a soup needs each ingredient fetched and put, a dish, the pot, the counter"
        names = ("welfare_mean", "gain")
        ceilings = [Oracle(name, "ceiling", self.most, "bound", why) for name in names]
        return [*ceilings, *(Oracle(name, "floor", 0.0, "bound", "nothing is served") for name in names)]
