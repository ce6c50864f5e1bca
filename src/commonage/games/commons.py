"""The commons: a stock that doubles every month, harvested in private and at the same time (Piatti et al. 2024).

The rules are those of GovSim's code: it collapses when *less than* 5 remain after the harvest (the paper's
text says that it survives above 5: `collapse=6`).
"""

from __future__ import annotations

import itertools
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from commonage import seeds
from commonage.game import Ask, Game, Oracle, Question, Turn, divide, everyone
from commonage.part import static


class Skin(NamedTuple):
    """One set of rules in other words."""

    place: str
    unit: str
    verb: str
    story: str


SKINS = {
    "fishery": Skin("lake", "tons of fish", "catch", "What they leave in the lake doubles"),
    "pasture": Skin("pasture", "hectares of grass", "graze", "Each sheep eats one hectare. What is left doubles"),
    "pollution": Skin("river", "per cent of clean water", "use", "Each pallet of widgets uses one per cent. What stays clean doubles"),
}


class State(NamedTuple):
    clock: Array  # int32[]: months played
    stock: Array  # int32[]: what can be harvested now
    caught: Array  # int32[seats], last month
    wanted: Array  # int32[seats], last month; -1 before the first and of a retired seat
    threshold: Array  # int32[]: sustainable harvest per seat, of the month just played


class Sight(NamedTuple):
    clock: Array  # int32[seats]
    stock: Array  # int32[seats]
    share: Array  # int32[seats]: equal share of the sustainable harvest now
    mine: Array  # int32[seats]: my last catch
    caught: Array  # int32[seats, seats]: last month's catches; -1 where not reported


class Commons(Game):
    """Seats harvest a common stock; what remains multiplies, up to the capacity; too little left ends it.

    `sharing` settles demands above the stock: "unit" gives one unit at a time to a random seat that still
    wants more; "proportional" gives floors of the proportional shares and draws for the rest by demand.
    """

    seats: int = static(default=5)
    rounds: int = static(default=12)
    capacity: int = static(default=100)
    sharing: str = static(default="unit")
    skin: str = static(default="fishery")
    report: bool = static(default=True)  # everybody learns all catches at the end of the month
    growth: int = 2
    collapse: int = 5  # fewer than this left after the harvest: it is over

    spares = True

    @property
    def private(self) -> tuple[str, ...]:  # type: ignore[override]
        return ("wanted",) if self.report else ("wanted", "caught")

    def check(self) -> None:
        self.require(self.seats >= 1, "seats", "at least 1")
        self.require(self.rounds >= 1, "rounds", "at least 1")
        self.require(1 <= self.capacity < 10_000, "capacity", "between 1 and 9999")
        self.require(self.sharing in ("unit", "proportional"), "sharing", "unit or proportional")
        self.require(self.skin in SKINS, "skin", "one of " + ", ".join(SKINS))
        self.require(self.growth >= 1, "growth", "at least 1")
        self.require(self.collapse >= 1, "collapse", "at least 1")

    @property
    def questions(self) -> tuple[Question, ...]:
        return (Question("harvest", amount=(0, self.capacity), unit=SKINS[self.skin].unit),)

    def sustainable(self, stock: Array) -> Array:
        """f(t): the most that all together can take so that the stock is back next month."""
        return stock - divide(stock + self.growth - 1, self.growth)

    def start(self, key: Array) -> State:
        none = jnp.zeros(self.seats, jnp.int32)
        stock = jnp.int32(self.capacity)
        return State(jnp.int32(0), stock, none, none - 1, self.sustainable(stock) // self.seats)

    def ask(self, state: State) -> Ask:
        return everyone(self, high=state.stock)

    def look(self, state: State) -> Sight:
        each = lambda x: jnp.broadcast_to(x, self.seats)
        known = self.witness(state) & (state.wanted >= 0)
        share = self.sustainable(state.stock) // self.seats
        return Sight(each(state.clock), each(state.stock), each(share), state.caught, jnp.where(known, state.caught, -1))

    def step(self, key: Array, state: State, moves: Array) -> Turn:
        wanted = jnp.maximum(moves, 0)
        share = _by_unit if self.sharing == "unit" else _by_demand
        caught = share(seeds.fold(key, self.label, state.clock), wanted, state.stock)
        left = state.stock - caught.sum()
        ended = left < self.collapse
        clock, threshold = state.clock + 1, self.sustainable(state.stock) // self.seats
        return Turn(
            state=State(clock, jnp.minimum(left * self.growth, self.capacity), caught, moves, threshold),
            rewards=caught.astype(jnp.float32),
            round_over=jnp.array(True),
            ended=ended,
            truncated=(clock >= self.rounds) & ~ended,
            deeds=jnp.where(moves < 0, jnp.nan, (moves <= threshold).astype(jnp.float32)),
        )

    def witness(self, state: State) -> Array:
        return jnp.eye(self.seats, dtype=bool) | self.report

    def facts(self, state: State) -> dict[str, Array]:
        return {"stock": state.stock, "caught": state.caught, "threshold": state.threshold}

    def rules(self, seat: int) -> str:
        skin = SKINS[self.skin]
        told = " Then everybody learns what each one took." if self.report else ""
        return (
            f"{self.seats} people share a {skin.place} that holds at most {self.capacity} {skin.unit}. "
            f"Every month, for {self.rounds} months, each decides in private and at the same time how much to {skin.verb}."
            f"{told} {skin.story if self.growth == 2 else 'What is left multiplies by ' + str(self.growth)} before the next month, "
            f"up to {self.capacity}. If fewer than {self.collapse} remain after a month's harvest, the {skin.place} is lost and all ends."
        )

    def tell(self, state: State, seat: int) -> str:
        skin = SKINS[self.skin]
        lines = [f"Month {int(state.clock) + 1}. The {skin.place} holds {int(state.stock)} {skin.unit}."]
        if state.clock and state.wanted[seat] >= 0:
            lines.append(f"Last month you took {int(state.caught[seat])}.")
        if state.clock and self.report:
            others = [f"seat {i + 1} took {int(c)}" for i, c in enumerate(state.caught) if i != seat and state.wanted[i] >= 0]
            lines.append(f"The others: {', '.join(others)}.")
        return " ".join(lines)

    def scene(self, state: State) -> list[dict[str, Any]]:
        shapes: list[dict[str, Any]] = [
            {"shape": "bar", "x": 0.4, "y": 0.1, "w": 0.2, "h": 0.8, "value": int(state.stock) / self.capacity, "text": f"{state.stock}"}
        ]
        for i in range(self.seats):
            angle = 2 * np.pi * i / self.seats
            x, y = 0.5 + 0.4 * np.cos(angle), 0.5 + 0.4 * np.sin(angle)
            shapes.append({"shape": "circle", "x": float(x), "y": float(y), "r": 0.06, "fill": "seat", "text": str(int(state.caught[i]))})
        return shapes

    def oracles(self) -> list[Oracle]:
        best, fair = self._optimum(), self.yardsticks()["welfare"]
        share = "five who share" if self.seats == 5 else "all share"
        return [
            Oracle("survival_time", "floor", 1.0, "bound", "a first month that takes all"),
            Oracle("survival_time", "ceiling", float(self.rounds), "bound", "the horizon"),
            Oracle("survival_rate", "floor", 0.0, "bound", "taking all"),
            Oracle("survival_rate", "ceiling", 1.0, "bound", "harvesting nothing"),
            Oracle("gain", "floor", 0.0, "bound", "harvesting nothing"),
            Oracle("gain", "ceiling", best / self.seats, "bound", "dynamic programming over the stock, finite horizon"),
            Oracle("gain", "reference", fair / self.seats, "reference", f"{share} the sustainable harvest every month"),
            Oracle("welfare_sum", "ceiling", float(best), "bound", "dynamic programming over the stock, finite horizon"),
            Oracle("efficiency", "ceiling", 1.0, "bound", "by definition, clamped"),
            Oracle("efficiency", "floor", 0.0, "bound", "by definition, clamped"),
        ]

    def yardsticks(self) -> dict[str, float]:
        return {"welfare": float(self.rounds * int(self.sustainable(np.int32(self.capacity))))}  # type: ignore[arg-type]

    def _optimum(self) -> int:
        """The largest possible sum of harvests: V_t(s) = max_h h + V_{t+1}(g(s - h))."""
        left = np.arange(self.capacity + 1)
        grown = np.minimum(left * int(self.growth), self.capacity)
        value = np.zeros(self.capacity + 1, int)
        for _ in range(self.rounds):
            after = np.where(left < int(self.collapse), 0, value[grown]) - left  # what leaving `left` is worth
            value = left + np.maximum.accumulate(after)
        return int(value[self.capacity])


Units = tuple[Array, ...]  # a number a seat, apart: whole vectors when there are many matches


def _by_unit(key: Array, wanted: Array, stock: Array) -> Array:
    """int32[seats]: one unit at a time to a random seat that still wants more, until the stock is gone.

    The same in other words: names are called at random, and whoever is called and still wants more gets a unit.
    So 32 names are called at once, a bit of each in every word; the last 32 are cut where the stock ends.
    """
    want, lottery = tuple(wanted), wanted.sum() > stock
    units = jnp.where(lottery, stock, 0)
    draw = lambda count: tuple(seeds.bits(key, at=count * 32 + bit) for bit in range((len(want) - 1).bit_length()))

    def on(loop: tuple[Array, Units, Units, Units]) -> tuple[Array, Units, Units, Units]:
        count, words, _, got = loop
        return count + 1, draw(count + 1), got, _serve(got, want, _named(got, want, words))

    none = tuple(jnp.zeros_like(most) for most in want)
    first = on((jnp.int32(0), draw(jnp.int32(0)), none, none))
    count, _, got, _ = jax.lax.while_loop(lambda loop: sum(loop[3]) < units, on, first)  # one serving too far
    names = _named(got, want, draw(count - 1))
    up_to = lambda calls: _serve(got, want, tuple(named & np.uint32(2**32 - 1) >> (32 - calls).astype(jnp.uint32) for named in names))

    def longer(step: Array, calls: Array) -> Array:
        more = calls + (16 >> step)
        return jnp.where(sum(up_to(more)) < units, more, calls)

    calls = jax.lax.fori_loop(0, 5, longer, jnp.int32(0))  # the most that leave something
    return jnp.where(lottery, jnp.stack(up_to(calls + 1)), wanted)


def _named(got: Units, want: Units, words: Units) -> Units:
    """uint32 for each seat: which of 32 calls name it; bit i of all words is the place, among those who want more, of the i-th."""
    crowd = sum((have < most).astype(jnp.uint32) << seat for seat, (have, most) in enumerate(zip(got, want, strict=True)))
    among = jax.lax.population_count(crowd)
    out = []
    for seat in range(len(want)):
        place, named = jax.lax.population_count(crowd & np.uint32(2**seat - 1)), jnp.uint32(2**32 - 1)
        for bit, word in enumerate(words):
            named = named & (jnp.where(among > 2**bit, word, 0) ^ (place >> bit & 1) - 1)
        out.append(named)
    return tuple(out)


def _serve(got: Units, want: Units, names: Units) -> Units:
    """What each has then: a unit a call, up to what it wants."""
    called = (jax.lax.population_count(named).astype(jnp.int32) for named in names)
    return tuple(jnp.minimum(have + more, most) for have, more, most in zip(got, called, want, strict=True))


def _by_demand(key: Array, wanted: Array, stock: Array) -> Array:
    """int32[seats]: floors of the proportional shares; each unit left over goes by lot, weighted by demand."""
    total = wanted.sum()
    floors = jnp.where(total > stock, divide(wanted * stock, jnp.maximum(total, 1)), wanted)
    rest = jnp.minimum(total, stock) - floors.sum()  # fewer than there are seats
    want = tuple(wanted)

    def lot(i: Array, got: Units) -> Array:
        """Who gets the i-th unit."""
        weight = [jnp.where(have < most, most, 0) for have, most in zip(got, want, strict=True)]
        *below, all_ = itertools.accumulate(weight, initial=jnp.int32(0))
        ticket = seeds.below(key, jnp.maximum(all_, 1), at=i)
        return sum(((ticket >= low).astype(jnp.int32) for low in below[1:]), jnp.int32(0))

    def give(i: Array, loop: tuple[Array, Units]) -> tuple[Array, Units]:
        lucky, got = loop
        got = tuple(have + (lucky == seat) for seat, have in enumerate(got))
        return lot(i + 1, got), got

    got = tuple(floors)
    _, got = jax.lax.fori_loop(0, rest, give, (lot(jnp.int32(0), got), got))
    return jnp.stack(got)
