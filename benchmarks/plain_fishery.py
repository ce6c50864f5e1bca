"""The fishery as plain Python, written to be fast: the peer of our compiled one. No library, no arrays."""

from __future__ import annotations

import random
from collections.abc import Callable

Seat = Callable[[int, random.Random], int]  # (stock, draws) -> demand


def sustainer(stock: int, draws: random.Random) -> int:
    return stock // 2 // 5


def anything(stock: int, draws: random.Random) -> int:
    return int(draws.random() * (stock + 1))


def by_unit(wanted: list[int], stock: int, draws: random.Random) -> list[int]:
    """One unit at a time to a random seat that still wants more."""
    caught = [0] * len(wanted)
    hungry = [i for i, want in enumerate(wanted) if want]
    roll = draws.random
    for _ in range(stock):
        at = int(roll() * len(hungry))
        i = hungry[at]
        caught[i] += 1
        if caught[i] == wanted[i]:
            hungry[at] = hungry[-1]
            hungry.pop()
    return caught


def by_demand(wanted: list[int], stock: int, draws: random.Random) -> list[int]:
    """Floors of the proportional shares; what is left by lot, weighted by demand."""
    total = sum(wanted)
    caught = [want * stock // total for want in wanted]
    for _ in range(stock - sum(caught)):
        weights = [want if got < want else 0 for want, got in zip(wanted, caught, strict=True)]
        ticket = draws.random() * sum(weights)
        for i, weight in enumerate(weights):
            ticket -= weight
            if ticket < 0:
                caught[i] += 1
                break
    return caught


def play(seats: list[Seat], share: Callable[..., list[int]], draws: random.Random, months: int = 12) -> tuple[int, list[int]]:
    """(months played, what each seat caught)."""
    stock, gains = 100, [0] * len(seats)
    for month in range(1, months + 1):
        wanted = [seat(stock, draws) for seat in seats]
        caught = share(wanted, stock, draws) if sum(wanted) > stock else wanted
        gains = [gain + one for gain, one in zip(gains, caught, strict=True)]
        stock -= sum(caught)
        if stock < 5:
            return month, gains
        stock = min(100, 2 * stock)
    return months, gains
