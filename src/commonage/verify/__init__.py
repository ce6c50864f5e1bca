"""Published and closed-form values beside ours. One file, one source of truth: each has `checks() -> list[Check]`."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterator
from typing import NamedTuple


class Check(NamedTuple):
    """One quantity. `expected` is a literal with a source; `ours` computes."""

    quantity: str
    source: str
    expected: float
    ours: Callable[[], float]
    tolerance: float = 1e-9  # absolute


class Row(NamedTuple):
    """One line of the table."""

    quantity: str
    source: str
    expected: float
    ours: float
    difference: float
    ok: bool


def rows() -> Iterator[Row]:
    """Every check of every file, computed one after the other."""
    for check in checks():
        ours = float(check.ours())
        difference = ours - check.expected
        yield Row(check.quantity, check.source, check.expected, ours, difference, abs(difference) <= check.tolerance)


def checks() -> list[Check]:
    """All checks, file by file."""
    names = sorted(module.name for module in pkgutil.iter_modules(__path__))
    return [check for name in names for check in importlib.import_module(f"{__name__}.{name}").checks()]
