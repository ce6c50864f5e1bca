# pyright: strict, reportUnnecessaryIsInstance=false
"""How calls are made: what they may cost, how many at a time. Nothing here changes what is played."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import time
from typing import Any, cast

from commonage.errors import SpecError
from commonage.models.budget import Budget

clock = time.monotonic


@dataclasses.dataclass(frozen=True)
class Limits:
    """For each endpoint, but the budget for all. Raises SpecError where a value breaks a rule."""

    budget: Any = None  # as `Budget.read` takes it; None: nothing may be spent
    in_flight: int = 100  # calls at a time
    requests_per_minute: float = 0.0  # 0: no limit
    tokens_per_minute: float = 0.0  # 0: no limit
    timeout: float = 20.0  # seconds for a call with all its tries, the queue not counted
    cache: str | bool = True  # a folder; true: the user's cache folder; false: none
    cached_only: bool = False  # what is not in the cache is not asked
    prices: str = ""  # a file over our price list

    def __post_init__(self) -> None:
        if self.budget is not None and not isinstance(self.budget, Budget):
            object.__setattr__(self, "budget", Budget.read(self.budget))
        self._require("in_flight", type(self.in_flight) is int and self.in_flight >= 1, "a whole number, at least 1")
        for field in ("requests_per_minute", "tokens_per_minute"):
            self._require(field, _number(getattr(self, field)) and getattr(self, field) >= 0, "a number; 0 is no limit")
        self._require("timeout", _number(self.timeout) and 0 < self.timeout <= 86_400, "seconds, above 0")
        self._require("cache", isinstance(self.cache, str | bool) and self.cache != "", "a folder, or true or false")
        self._require("cached_only", isinstance(self.cached_only, bool), "true or false")
        self._require("cached_only", not (self.cached_only and self.cache is False), "false where there is no cache")
        self._require("prices", isinstance(self.prices, str), "the path of a file")

    @classmethod
    def of(cls, given: Any) -> Limits:
        """Limits, or a table of them. Raises SpecError for a key that there is not."""
        if isinstance(given, cls):
            return given
        known = {field.name for field in dataclasses.fields(cls)}
        table = cast("dict[str, Any]", given) if isinstance(given, dict) else {"": given}
        if not set(table) <= known:
            raise SpecError(f"limits {given!r}: a table of {', '.join(sorted(known))}")
        return cls(**table)

    def given(self) -> dict[str, Any]:
        """What differs from the defaults."""
        every = {field.name: (getattr(self, field.name), field.default) for field in dataclasses.fields(self)}
        return {name: str(value) if name == "budget" else value for name, (value, default) in every.items() if value != default}

    def _require(self, field: str, rule: bool, says: str) -> None:
        if not rule:
            raise SpecError(f"{field}={getattr(self, field)!r}: {field} must be {says}")


def _number(value: Any) -> bool:
    return type(value) in (int, float)


class Lane:
    """The way to one endpoint: so many at a time, so many a minute; closed once it is in trouble."""

    def __init__(self, limits: Limits) -> None:
        self.slots = asyncio.Semaphore(limits.in_flight)
        self.closed = ""  # why it is
        self._closing = asyncio.Event()
        self._request, self._token = (60 / rate if rate else 0.0 for rate in (limits.requests_per_minute, limits.tokens_per_minute))
        self._requests_at = self._tokens_at = 0.0  # when the next may go out

    def close(self, why: str) -> None:
        """No call goes out any more; those who wait learn it at once."""
        self.closed = self.closed or why
        self._closing.set()

    async def turn(self, tokens: float, requests: int = 1) -> None:
        """Wait until the limits a minute allow requests of so many tokens together, or the lane is closed."""
        start = max(clock(), self._requests_at, self._tokens_at)
        self._requests_at, self._tokens_at = start + requests * self._request, start + tokens * self._token
        await self.wait(start - clock())

    def correct(self, tokens: float) -> None:
        """A request took so many more tokens than was guessed (below 0: fewer)."""
        self._tokens_at += tokens * self._token

    def rest(self, seconds: float) -> None:
        """The server asked for so many seconds of peace."""
        self._requests_at = max(self._requests_at, clock() + seconds)

    async def wait(self, seconds: float) -> None:
        """Seconds pass, or the lane is closed."""
        if seconds > 0 and not self.closed:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._closing.wait(), seconds)
