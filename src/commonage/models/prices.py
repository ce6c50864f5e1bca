# pyright: strict
"""What a call costs: list prices by model, the user's own over them, and who is free."""

from __future__ import annotations

import functools
import ipaddress
import re
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple, cast
from urllib.parse import urlsplit

from commonage.errors import SpecError
from commonage.model import Model, Reply

OURS = Path(__file__).with_name("prices.toml")
YOURS = "prices.toml"  # in the working directory
DATED = re.compile(r"-(\d{4}-\d\d-\d\d|\d{8})$")  # a dated version costs what its model costs
RULE = "[in, out] or [in, out, cached in], money per million tokens, none below 0"


class Price(NamedTuple):
    """Money per million tokens; US dollars in our table."""

    tokens_in: float
    tokens_out: float
    cached: float | None = None  # of tokens in that came from the provider's prefix cache; None: as the others

    def of(self, tokens_in: float, tokens_out: float, cached: float = 0) -> float:
        """Money for so many tokens; `cached` are among those in."""
        again = self.tokens_in if self.cached is None else self.cached
        return ((tokens_in - cached) * self.tokens_in + cached * again + tokens_out * self.tokens_out) / 1e6

    def reply(self, reply: Reply) -> float:
        """Money for one reply."""
        return self.of(reply.tokens_in, reply.tokens_out, reply.tokens_cached)

    @property
    def free(self) -> bool:
        """Whether nothing is paid."""
        return not any((self.tokens_in, self.tokens_out, self.cached))


FREE = Price(0.0, 0.0)


class Prices:
    """Our list and the user's: the file named, or `prices.toml` in the working directory."""

    def __init__(self, path: str | Path = "") -> None:
        there = Path(path or YOURS)
        self.own = _read(there)[0] if path or there.exists() else {}
        self.ours, self.date = _ours()

    def of(self, model: Model, given: Sequence[float] | None = None) -> Price | None:
        """The price of a model: given for the seat, in the user's file, none on this machine, on our list. None: not known."""
        if given is not None:
            return _given(tuple(given) if isinstance(given, list | tuple) else given)
        if own := self.own.get(model.name):
            return own
        if here(model.address):
            return FREE
        return self.ours.get(model.name) or self.ours.get(DATED.sub("", model.name))


@functools.cache
def here(address: str) -> bool:
    """Whether an address is on this machine: "" (it computes in this process), localhost, 127.0.0.0/8, ::1."""
    host = urlsplit(address).hostname or ""
    if not address or host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


@functools.cache
def _ours() -> tuple[dict[str, Price], str]:
    return _read(OURS)


def _read(path: Path) -> tuple[dict[str, Price], str]:
    """(prices by model, the date of the table). Raises SpecError where a line is no price."""
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise SpecError(f"prices {str(path)!r}: {getattr(error, 'strerror', '') or error}") from error
    date, _ = data.pop("date", ""), data.pop("source", "")
    return {name: _price(f"{path}: {name!r}", value) for name, value in data.items()}, str(date)


@functools.cache
def _given(numbers: Any) -> Price:
    return _price("price", numbers)


def _price(where: str, value: Any) -> Price:
    numbers = cast("Sequence[Any]", value) if isinstance(value, list | tuple) else ()
    if len(numbers) not in (2, 3) or not all(type(one) in (int, float) and 0 <= one < 1e9 for one in numbers):
        raise SpecError(f"{where} = {list(numbers) if numbers else value!r}: write {RULE}")
    return Price(*map(float, numbers))
