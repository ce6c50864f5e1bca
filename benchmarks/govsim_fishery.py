"""The fishery in the way GovSim's own environment is written (Piatti et al. 2024), from the rules: a peer of our compiled one.

Names and dicts instead of numbers, one seat a step, a month in phases, every unit of a contested lake drawn by NumPy's `choice`.
What it needs beside this for language models (observations in words, the log of a month) is left out, in its favour.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable

import numpy as np

Seat = Callable[[int, random.Random], int]  # (stock, draws) -> demand


class Lake:
    """One match, a seat a step: first all harvest, then each sees what it got, then all go home and the month is over."""

    def __init__(self, seats: int, sharing: str, seed: int, months: int = 12, capacity: int = 100) -> None:
        self.names, self.months, self.capacity = [f"seat {i}" for i in range(seats)], months, capacity
        self.share = {"unit": self.by_unit, "proportional": self.by_demand}[sharing]
        self.draws = np.random.RandomState(seed)

    def reset(self) -> None:
        """Before the first month."""
        self.stock, self.month, self.phase, self.turn = self.capacity, 0, "lake", 0
        self.wanted, self.caught = dict.fromkeys(self.names, 0), dict.fromkeys(self.names, 0)
        self.rewards, self.over = dict.fromkeys(self.names, 0.0), dict.fromkeys(self.names, False)

    def step(self, name: str, quantity: int = 0) -> None:
        """What one seat does in this phase."""
        last = self.turn == len(self.names) - 1
        if self.phase == "lake":
            self.wanted[name] = quantity
            if last:
                self.harvest()
        elif self.phase == "home" and last:
            self.close()
        if last:
            self.phase = {"lake": "shore", "shore": "home", "home": "lake"}[self.phase]
        self.turn = 0 if last else self.turn + 1

    def harvest(self) -> None:
        """Everybody gets a share of the stock."""
        self.caught = self.share(dict(self.wanted))
        self.stock -= sum(self.caught.values())
        for name in self.names:
            self.rewards[name] += self.caught[name]

    def close(self) -> None:
        """The month is over, and the stock doubles."""
        self.month += 1
        self.over = dict.fromkeys(self.names, self.stock < 5 or self.month >= self.months)
        self.stock = min(self.capacity, 2 * self.stock)

    def by_unit(self, wanted: dict[str, int]) -> dict[str, int]:
        """One unit at a time to a random seat that still wants more."""
        caught, left = dict.fromkeys(self.names, 0), self.stock
        while left > 0 and sum(wanted.values()) > 0:
            name = self.draws.choice([name for name in self.names if wanted[name] > 0])
            wanted[name] -= 1
            caught[name] += 1
            left -= 1
        return caught

    def by_demand(self, wanted: dict[str, int]) -> dict[str, int]:
        """Floors of the proportional shares; what is left by lot, weighted by demand."""
        total, left = sum(wanted.values()), self.stock
        if total <= left:
            return wanted
        caught = {name: math.floor(left * (want / total)) for name, want in wanted.items()}
        for _ in range(left - sum(caught.values())):
            names = [name for name in self.names if caught[name] < wanted[name]]
            weights = [wanted[name] for name in names]
            name = self.draws.choice(names, p=[weight / sum(weights) for weight in weights])
            caught[name] += 1
        return caught


def play(seats: list[Seat], lake: Lake, draws: random.Random) -> tuple[int, list[float]]:
    """(months played, what each seat caught)."""
    lake.reset()
    while not all(lake.over.values()):
        for seat, name in zip(seats, lake.names, strict=True):
            lake.step(name, seat(lake.stock, draws))
        for _ in ("shore", "home"):
            for name in lake.names:
                lake.step(name)
    return lake.month, list(lake.rewards.values())
