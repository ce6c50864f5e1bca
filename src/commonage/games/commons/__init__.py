"""The commons: a stock that doubles every month, harvested in private and at the same time (Piatti et al. 2024).

The rules are those of GovSim's code: it collapses when *less than* 5 remain after the harvest (the paper's
text says that it survives above 5: `collapse=6`).
"""

from __future__ import annotations

from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np
from jax import Array

from commonage import seeds
from commonage.game import Ask, Game, Oracle, Question, Turn, divide, everyone
from commonage.games._sharing import SHARING
from commonage.games.commons.words import SKINS, WORDS, Skin, Words
from commonage.part import static


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
    The last `newcomers` seats come in month `arrival` (Piatti et al. 2024: one, in month 4 of 15): until then they are
    asked nothing, and the others are told of as many people as there are. `language`: en, ja.
    """

    seats: int = static(default=5)
    rounds: int = static(default=12)
    capacity: int = static(default=100)
    sharing: str = static(default="unit")
    skin: str = static(default="fishery")
    report: bool = static(default=True)  # everybody learns all catches at the end of the month
    newcomers: int = static(default=0)
    arrival: int = static(default=4)
    language: str = static(default="en")  # type: ignore[assignment]
    growth: int = 2
    collapse: int = 5  # fewer than this left after the harvest: it is over

    spares = True

    @property
    def roles(self) -> tuple[str, ...]:  # type: ignore[override]
        return ("resident",) * (self.seats - self.newcomers) + ("newcomer",) * self.newcomers if self.newcomers else ()

    @property
    def private(self) -> tuple[str, ...]:  # type: ignore[override]
        return ("wanted",) if self.report else ("wanted", "caught")

    def check(self) -> None:
        self.require(self.seats >= 1, "seats", "at least 1")
        self.require(self.rounds >= 1, "rounds", "at least 1")
        self.require(1 <= self.capacity < 10_000, "capacity", "between 1 and 9999")
        self.require(self.sharing in SHARING, "sharing", " or ".join(SHARING))
        self.require(self.skin in SKINS, "skin", "one of " + ", ".join(SKINS))
        self.require(self.language in WORDS, "language", "one of " + ", ".join(WORDS))
        self.require(0 <= self.newcomers < self.seats, "newcomers", f"fewer than the seats, which are {self.seats}")
        self.require(self.arrival >= 2, "arrival", "a month from 2 on")
        self.require(self.growth >= 1, "growth", "at least 1")
        self.require(self.collapse >= 1, "collapse", "at least 1")

    @property
    def questions(self) -> tuple[Question, ...]:
        return (Question(self.words.question, amount=(0, self.capacity), unit=self.skinned.unit),)

    @property
    def words(self) -> Words:
        """What it says."""
        return WORDS[self.language]

    @property
    def skinned(self) -> Skin:
        """What the stock is."""
        return self.words.skins[self.skin]

    def sustainable(self, stock: Array) -> Array:
        """f(t): the most that all together can take so that the stock is back next month."""
        return stock - divide(stock + self.growth - 1, self.growth)

    def present(self, state: State) -> Array:
        return self._here(state.clock)

    def _here(self, clock: Array) -> Array:
        """bool[seats]: who is there in the month after `clock` months."""
        resident = np.arange(self.seats) < self.seats - self.newcomers
        return jnp.asarray(resident | (clock + 1 >= self.arrival) if self.newcomers else resident)

    def share(self, clock: Array, stock: Array) -> Array:
        """int32[]: the equal share of the sustainable harvest, of those who are there."""
        people = self._here(clock).sum().astype(jnp.int32) if self.newcomers else self.seats
        return self.sustainable(stock) // people

    def start(self, key: Array) -> State:
        none = jnp.zeros(self.seats, jnp.int32)
        stock = jnp.int32(self.capacity)
        return State(jnp.int32(0), stock, none, none - 1, self.share(jnp.int32(0), stock))

    def ask(self, state: State) -> Ask:
        ask = everyone(self, high=state.stock)
        return ask._replace(which=jnp.where(self.present(state), ask.which, -1)) if self.newcomers else ask

    def look(self, state: State) -> Sight:
        each = lambda x: jnp.broadcast_to(x, self.seats)
        known = self.witness(state) & (state.wanted >= 0)
        share = self.share(state.clock, state.stock)
        return Sight(each(state.clock), each(state.stock), each(share), state.caught, jnp.where(known, state.caught, -1))

    def step(self, key: Array, state: State, moves: Array) -> Turn:
        wanted = jnp.maximum(moves, 0)
        caught = SHARING[self.sharing](seeds.fold(key, self.label, state.clock), wanted, state.stock)
        left = state.stock - caught.sum()
        ended = left < self.collapse
        clock, threshold = state.clock + 1, self.share(state.clock, state.stock)
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
        words, skin = self.words, self.skinned
        late = seat >= self.seats - self.newcomers
        return words.rules.format(
            seats=self.seats if late else self.seats - self.newcomers,
            place=skin.place, capacity=self.capacity, unit=skin.unit, rounds=self.rounds, verb=skin.verb, collapse=self.collapse,
            told=words.told if self.report else "",
            grows=words.doubles.format(story=skin.story) if self.growth == 2 else words.multiplies.format(growth=self.growth),
            comes=words.comes.format(month=self.arrival) if late and self.newcomers else "",
        )  # fmt: skip

    def tell(self, state: State, seat: int) -> str:
        words, skin, took = self.words, self.skinned, state.wanted >= 0
        lines = [words.month.format(month=int(state.clock) + 1, place=skin.place, stock=int(state.stock), unit=skin.unit)]
        if self.newcomers and state.clock + 1 >= self.arrival:
            lines.append(words.joined.format(seats=self.seats))
        if state.clock and took[seat]:
            lines.append(words.mine.format(caught=int(state.caught[seat])))
        if state.clock and self.report:
            others = [words.other.format(seat=i + 1, caught=int(c)) for i, c in enumerate(state.caught) if i != seat and took[i]]
            lines.append(words.others.format(list=words.between.join(others)))
        return words.gap.join(lines)

    def scene(self, state: State) -> list[dict[str, Any]]:
        shapes: list[dict[str, Any]] = [
            {"shape": "bar", "x": 0.42, "y": 0.2, "w": 0.16, "h": 0.6, "value": int(state.stock) / self.capacity, "text": f"{state.stock}"}
        ]
        for i in np.flatnonzero(self.present(state)).tolist():
            angle = 2 * np.pi * i / self.seats
            x, y = 0.5 + 0.4 * np.cos(angle), 0.5 + 0.4 * np.sin(angle)
            shapes.append(
                {"shape": "circle", "x": float(x), "y": float(y), "r": 0.06, "fill": "seat", "seat": i, "text": str(int(state.caught[i]))}
            )
        return shapes

    def glimpse(self, state: State, seat: int) -> list[dict[str, Any]]:
        shown = lambda shape: self.report or shape.get("seat", seat) == seat
        return [shape if shown(shape) else {**shape, "text": ""} for shape in self.scene(state)]

    def oracles(self) -> list[Oracle]:
        best, fair = self._optimum(), self._sharing()
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

    def _sharing(self) -> int:
        """The sum of harvests when everybody takes the equal share every month."""
        stock, total = self.capacity, 0
        for month in range(self.rounds):
            people = self.seats - (self.newcomers if month + 1 < self.arrival else 0)
            harvest = int(self.sustainable(np.int32(stock))) // people * people  # type: ignore[arg-type]
            stock, total = min(self.capacity, int(self.growth) * (stock - harvest)), total + harvest
        return total

    def _optimum(self) -> int:
        """The largest possible sum of harvests: V_t(s) = max_h h + V_{t+1}(g(s - h))."""
        left = np.arange(self.capacity + 1)
        grown = np.minimum(left * int(self.growth), self.capacity)
        value = np.zeros(self.capacity + 1, int)
        for _ in range(self.rounds):
            after = np.where(left < int(self.collapse), 0, value[grown]) - left  # what leaving `left` is worth
            value = left + np.maximum.accumulate(after)
        return int(value[self.capacity])
