# pyright: strict
"""A budget in money or in tokens, and the purse that keeps to it."""

from __future__ import annotations

import asyncio
import re
from typing import Any, NamedTuple, Self

from commonage.errors import Pause, SpecError

UNITS = {"": 1.0, "k": 1e3, "M": 1e6}
RULE = "--budget 2 is money (US dollars), --budget 200ktok or 1.5Mtok is tokens"


class Spent(NamedTuple):
    """Money and tokens."""

    money: float = 0.0
    tokens: float = 0.0

    def plus(self, other: Spent, sign: int = 1) -> Spent:
        """Both together; with sign -1 the difference."""
        return Spent(self.money + sign * other.money, self.tokens + sign * other.tokens)


class Budget(NamedTuple):
    """What may be spent at most."""

    most: float
    unit: str  # "money" or "tokens"

    @classmethod
    def read(cls, value: Any) -> Self:
        """`2`, `"2.50"`: money. `"200ktok"`, `"1.5Mtok"`: tokens. Raises SpecError."""
        found = re.fullmatch(r"\$?(\d+(?:\.\d+)?)(?:(k|M)?tok)?", "" if isinstance(value, bool) else str(value))
        if not found or not float(found[1]):
            raise SpecError(f"budget {value!r}: a number above 0; {RULE}")
        tokens = str(value).endswith("tok")
        return cls(float(found[1]) * UNITS[found[2] or ""], "tokens" if tokens else "money")

    def covers(self, spent: Spent) -> bool:
        """Whether so much may be spent."""
        return getattr(spent, self.unit) <= self.most * (1 + 1e-9)  # fifty times 0.001 is more than 0.05

    def __str__(self) -> str:
        if self.unit == "money":
            return f"{self.most:.12g}"
        unit = "M" if self.most >= 1e6 else "k" if self.most >= 1e3 else ""
        return f"{self.most / UNITS[unit]:.12g}{unit}tok"


def money(amount: float) -> str:
    """`$12.30`, `$0.0042`: cents, or two digits where it is less."""
    return f"${amount:,.2f}" if amount >= 0.1 or not amount else f"${amount:.2g}"


class Purse:
    """What is spent, and what is held back for calls in flight. Without a budget it only counts."""

    def __init__(self, budget: Budget | None = None) -> None:
        self.budget, self.spent = budget, Spent()
        self.held, self._flying = Spent(), 0
        self._settled = asyncio.Event()

    def spend(self, amount: Spent) -> None:
        """So much was spent."""
        self.spent = self.spent.plus(amount)

    async def hold(self, guess: Spent) -> None:
        """Hold back what a call will cost at most; `settle` when it is made.

        Where it is only calls in flight that leave no room it waits, since they may turn out cheaper than guessed.
        Raises Pause where what is spent leaves none.
        """
        while not self._covers(self.spent.plus(self.held), guess):
            if not self._covers(self.spent, guess):
                raise Pause(f"budget {self.budget} reached: the next call may exceed it. A larger --budget goes on from here")
            await self._settled.wait()
        self.held, self._flying = self.held.plus(guess), self._flying + 1

    def settle(self, guess: Spent) -> None:
        """Let go what was held back."""
        self._flying -= 1
        self.held = self.held.plus(guess, -1) if self._flying else Spent()  # no dust of rounding
        self._settled.set()
        self._settled = asyncio.Event()  # who comes later waits for the next

    def _covers(self, spent: Spent, guess: Spent) -> bool:
        if self.budget is None or not getattr(guess, self.budget.unit):  # what costs nothing is never refused
            return True
        return self.budget.covers(spent.plus(guess))
