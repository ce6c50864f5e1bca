"""The common pool: effort draws on a stock that grows by a law; nobody is told what anybody earns (after Gupta et al. 2025).

Their constants and growth law could not be read: those here are declared, and explained in `docs/norms.md`. Logistic
growth with a harvest proportional to effort and stock is Schaefer's fishery (1954).
"""

from __future__ import annotations

from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np
from jax import Array

from commonage.game import Ask, Game, Oracle, Question, Turn, divide, everyone
from commonage.part import static

UNIT = 100  # the stock is counted in hundredths of a ton: both runners agree to the bit


class State(NamedTuple):
    clock: Array  # int32[]: rounds played
    stock: Array  # int32[]: hundredths of a ton, now
    before: Array  # int32[]: the same a round ago
    effort: Array  # int32[seats]: per cent, last round; -1 before the first and of a retired seat
    caught: Array  # int32[seats]: hundredths of a ton, last round
    threshold: Array  # int32[]: sustainable harvest per seat, hundredths of a ton, of the round just played


class Sight(NamedTuple):
    clock: Array  # int32[seats]
    stock: Array  # int32[seats]: hundredths of a ton
    before: Array  # int32[seats]: the same a round ago
    share: Array  # int32[seats]: the effort at which all together take the sustainable harvest now, per cent
    mine: Array  # int32[seats]: my last effort, -1 none yet
    caught: Array  # int32[seats]: my last harvest, hundredths of a ton
    efforts: Array  # int32[seats, seats]: last round's efforts; -1 where not reported


class Pool(Game):
    """Every round each seat chooses an effort of 0..100 per cent, harvests from the stock, and eats `consumption`.

    harvest = reach x effort x stock / seats, rounded down to a hundredth: all together never take more than `reach` per
    cent of the stock. Then stock' = stock + growth x stock x (1 - stock / capacity) - harvests (`law="logistic"`), or
    twice what is left, up to the capacity (`law="doubling"`). With less than `collapse` left the match ends. A reward is the
    harvest less the consumption, in tons; it may be negative, nobody starves, and neither sight nor words show it.
    """

    seats: int = static(default=8)
    rounds: int = static(default=60)
    law: str = static(default="logistic")
    report: bool = static(default=False)  # everybody learns all efforts at the end of the round
    capacity: int = 100  # tons
    growth: int = 25  # per cent a round, while the stock is small; of the logistic law
    reach: int = 50  # per cent of the stock that all take together with full effort
    initial: int = 100  # per cent of the capacity at the start
    collapse: int = 5  # tons: with fewer left it is over
    consumption: float = 0.25  # tons a round and seat

    spares = True

    @property
    def private(self) -> tuple[str, ...]:  # type: ignore[override]
        return ("caught",) if self.report else ("caught", "effort")

    def check(self) -> None:
        self.require(self.seats >= 1, "seats", "at least 1")
        self.require(self.rounds >= 1, "rounds", "at least 1")
        self.require(self.law in ("logistic", "doubling"), "law", "logistic or doubling")
        self.require(1 <= self.capacity <= 900, "capacity", "between 1 and 900")  # its square in hundredths is 32 bits wide
        self.require(0 <= self.growth <= 100, "growth", "between 0 and 100 per cent")  # more would overshoot the capacity
        self.require(1 <= self.reach <= 100, "reach", "between 1 and 100 per cent")
        self.require(1 <= self.initial <= 100, "initial", "between 1 and 100 per cent")
        self.require(1 <= self.collapse <= self.capacity, "collapse", "between 1 and the capacity")
        self.require(self.consumption >= 0, "consumption", "at least 0")

    @property
    def questions(self) -> tuple[Question, ...]:
        return (Question("effort", amount=(0, 100), unit="per cent"),)

    # the law: what grows before the harvest, and what becomes of what is left after it

    @property
    def _full(self) -> Any:
        """The capacity in hundredths of a ton."""
        return self.capacity * UNIT

    @property
    def _best(self) -> Any:
        """The stock that yields most, in hundredths of a ton."""
        return self._full // 2 if self.law == "logistic" else self._full

    def grows(self, stock: Array) -> Array:
        """int32[]: hundredths of a ton that a stock grows by before the harvest, rounded down."""
        if self.law == "doubling":
            return jnp.zeros_like(stock)
        return divide(divide(stock * (self._full - stock), self._full) * self.growth, 100)

    def sustainable(self, stock: Array) -> Array:
        """int32[]: the most that all can take so that the stock then is as large as now, or as the one that yields most."""
        keep = jnp.minimum(stock, self._best)
        return stock + self.grows(stock) - (keep if self.law == "logistic" else keep - keep // 2)

    def start(self, key: Array) -> State:
        none, stock = jnp.zeros(self.seats, jnp.int32), jnp.asarray(self.initial * self.capacity, jnp.int32)
        return State(jnp.int32(0), stock, stock, none - 1, none, divide(self.sustainable(stock), self.seats))

    def ask(self, state: State) -> Ask:
        return everyone(self)

    def look(self, state: State) -> Sight:
        each = lambda x: jnp.broadcast_to(x, self.seats)
        share = divide(self.sustainable(state.stock) * 10_000, jnp.maximum(state.stock, 1) * self.reach)
        known = jnp.where(self.witness(state), state.effort, -1)
        stocks = each(state.stock), each(state.before), each(jnp.minimum(share, 100))
        return Sight(each(state.clock), *stocks, state.effort, state.caught, known)

    def step(self, key: Array, state: State, moves: Array) -> Turn:
        here, effort = moves >= 0, jnp.maximum(moves, 0)
        caught = divide(state.stock * effort, 100) * self.reach  # of the whole stock, as if alone
        caught = divide(caught, 100 * self.seats)
        left = state.stock + self.grows(state.stock) - caught.sum()
        ended = left < self.collapse * UNIT
        clock, threshold = state.clock + 1, divide(self.sustainable(state.stock), self.seats)
        after = left if self.law == "logistic" else jnp.minimum(2 * left, self._full)
        return Turn(
            state=State(clock, after.astype(jnp.int32), state.stock, moves, caught, threshold),
            rewards=jnp.where(here, caught.astype(jnp.float32) / UNIT - self.consumption, 0).astype(jnp.float32),
            round_over=jnp.array(True),
            ended=ended,
            truncated=(clock >= self.rounds) & ~ended,
            deeds=jnp.where(here, (caught <= threshold).astype(jnp.float32), jnp.nan),
        )

    def witness(self, state: State) -> Array:
        return jnp.eye(self.seats, dtype=bool) | self.report

    def facts(self, state: State) -> dict[str, Array]:
        tons = lambda hundredths: hundredths.astype(jnp.float32) / UNIT
        return {"stock": tons(state.stock), "caught": tons(state.caught), "threshold": tons(state.threshold), "effort": state.effort}

    # words and picture

    def rules(self, seat: int) -> str:
        full, told = (
            int(self.capacity),
            "Then everybody learns what effort each one chose." if self.report else "Nobody is told what others do.",
        )
        grows = {
            "logistic": f"In a round the stock grows by {int(self.growth)} per cent of itself, times the share of the {full} tons that is "
            f"missing: half full by {int(self.growth) * full / 400:g} tons, full by none. What is harvested is taken off.",
            "doubling": f"What is left after the harvest doubles before the next round, up to {full}.",
        }[self.law]
        return (
            f"{self.seats} people live off one stock of at most {full} tons. Every round, for {self.rounds} rounds, each chooses an effort "
            f"of 0 to 100 per cent, at the same time as the others. Each one's harvest is proportional to its own effort and to the stock: "
            f"with full effort all together harvest {int(self.reach)} per cent of it. {told} {grows} If less than {int(self.collapse)} "
            f"tons are left, the stock is lost and all ends. Everybody eats {float(self.consumption):g} tons a round."
        )

    def tell(self, state: State, seat: int) -> str:
        lines = [f"Round {int(state.clock) + 1}." if state.clock < self.rounds else f"The {self.rounds} rounds are over."]
        lines.append(f"The stock holds {_tons(state.stock)} tons{f', a round ago {_tons(state.before)}' if state.clock else ''}.")
        if state.clock and state.effort[seat] >= 0:
            mine = f"Last round your effort was {int(state.effort[seat])} per cent"
            lines.append(f"{mine}, and you harvested {_tons(state.caught[seat])} tons.")
        if state.clock and self.report:
            others = [f"seat {i + 1} {int(e)} per cent" for i, e in enumerate(state.effort) if i != seat and e >= 0]
            lines.append(f"The others: {', '.join(others)}.")
        return " ".join(lines)

    def scene(self, state: State) -> list[dict[str, Any]]:
        full = int(state.stock) / (int(self.capacity) * UNIT)
        shapes: list[dict[str, Any]] = [
            {"shape": "bar", "x": 0.42, "y": 0.2, "w": 0.16, "h": 0.6, "value": full, "text": _tons(state.stock)}
        ]
        for i in range(self.seats):
            angle = 2 * np.pi * i / self.seats
            x, y = 0.5 + 0.4 * np.cos(angle), 0.5 + 0.4 * np.sin(angle)
            shapes.append(
                {"shape": "circle", "x": float(x), "y": float(y), "r": 0.06, "fill": "seat", "seat": i, "text": _tons(state.caught[i])}
            )
        return shapes

    def glimpse(self, state: State, seat: int) -> list[dict[str, Any]]:
        shown = lambda shape: self.report or shape.get("seat", seat) == seat
        return [shape if shown(shape) else {**shape, "text": ""} for shape in self.scene(state)]

    # floors and ceilings

    def oracles(self) -> list[Oracle]:
        best, kept = self._optimum(0), self.yardsticks()["welfare"]
        least = -self.rounds * self.seats * float(self.consumption)
        solved = "dynamic programming over the stock, finite horizon"
        return [
            Oracle("survival_time", "ceiling", float(self.rounds), "bound", "the horizon"),
            Oracle("survival_rate", "floor", 0.0, "bound", "a rate"),
            Oracle("survival_rate", "ceiling", 1.0, "bound", "no effort"),
            Oracle("gain", "floor", least / self.seats, "bound", "no effort, and eating to the end"),
            Oracle("gain", "ceiling", best / self.seats, "bound", solved),
            Oracle("gain", "reference", kept / self.seats, "reference", f"{solved}, leaving a stock that lasts"),
            Oracle("welfare_sum", "floor", least, "bound", "no effort, and eating to the end"),
            Oracle("welfare_sum", "ceiling", best, "bound", solved),
            Oracle("efficiency", "floor", 0.0, "bound", "by definition, clamped"),
            Oracle("efficiency", "ceiling", 1.0, "bound", "by definition, clamped"),
        ]

    def yardsticks(self) -> dict[str, float]:
        """The most that all can earn and leave at the end the stock that they began with, or the one that yields most."""
        return {"welfare": self._optimum(min(int(self.initial) * int(self.capacity), int(self._best)))}

    def _optimum(self, keep: int) -> float:
        """The largest possible sum of rewards with at least `keep` hundredths of a ton left at the end."""
        stock = np.arange(int(self._full) + 1)
        before = np.asarray(stock + np.asarray(self.grows(jnp.asarray(stock, jnp.int32))))
        after = stock if self.law == "logistic" else np.minimum(2 * stock, int(self._full))
        eaten = float(self.consumption) * UNIT * self.seats
        least = before - stock * int(self.reach) // 100
        best = _solve(before, least, after, int(self.collapse) * UNIT, keep, self.rounds, eaten)
        return float(best[int(self.initial) * int(self.capacity)]) / UNIT


def _tons(hundredths: Any) -> str:
    return f"{int(hundredths) / UNIT:g}"


def _solve(before: np.ndarray, least: np.ndarray, after: np.ndarray, collapse: int, keep: int, rounds: int, eaten: float) -> np.ndarray:
    """V(s) = max over what is left, least(s) <= l <= before(s), of before(s) - l - eaten + V'(after(l)), round by round.

    float64[stocks]. `keep`: what must be there at the end, if anything; then a collapse is worth nothing, either.
    """
    lost = -np.inf if keep else 0.0
    left = np.arange(len(before))
    value = np.where(left >= keep, 0.0, -np.inf)
    for _ in range(rounds):
        worth = np.where(left < collapse, lost, value[after]) - left
        value = before - eaten + _largest(worth, least, before)
    return value


def _largest(values: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """max(values[low..high]) for each pair: two overlapping windows of a power of two (Bender & Farach-Colton 2000)."""
    windows = [values]
    for power in range((len(values) - 1).bit_length()):
        last, step = windows[-1], 1 << power
        windows.append(np.maximum(last, np.append(last[step:], np.full(min(step, len(last)), -np.inf))))
    level = np.frexp(high - low + 1)[1] - 1
    table = np.stack(windows)
    return np.maximum(table[level, low], table[level, high - (1 << level) + 1])
