"""How all matches of a study stand: counted once, a slice at a time, then kept up with what is appended. Runs in a thread."""

from __future__ import annotations

import contextlib
import threading
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import polars as pl

from commonage.errors import CommonageError
from commonage.measure import words
from commonage.store import parquet, ranges
from commonage.store.calls import Spent
from commonage.store.tail import Span

SLICE = 200  # matches that are counted together


class Census:
    """Of one study. `update` brings it up to date; what it knows so far may be read meanwhile."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.lock = folder, threading.Lock()
        self.number = -1  # of what was appended last when it was counted; -1: not yet
        self.status: dict[int, tuple[int, str]] = {}  # of what was played one by one: match -> (arm, status)
        self.troubles: dict[int, dict[str, int]] = {}  # match -> answers not read, seats failed
        self.compiled: dict[tuple[int, int], Counter[str]] = {}  # (arm, chunk) -> how many of each status
        self.flaws: dict[int, str] = {}  # of compiled matches those that are not finished
        self.spent: Spent | None = None

    @property
    def complete(self) -> bool:
        """Whether all was counted once."""
        return self.number >= 0

    def update(self) -> bool:
        """Count what is new; whether there was anything. Another thread that counts already is left to it."""
        if not self.lock.acquire(blocking=False):
            return False
        try:
            with ranges.opened(self.folder) as log:
                if log.newest == self.number:
                    return False
                self._count(log)
                self.spent, self.number = log.spent(), log.newest
                return True
        finally:
            self.lock.release()

    def try_update(self) -> None:
        """`update`, whatever the log is like: who reads it says what is wrong with it."""
        with contextlib.suppress(CommonageError):
            self.update()

    def counts(self) -> dict[int, dict[str, int]]:
        """By arm, how many matches have each status."""
        out: dict[int, Counter[str]] = {}
        for (arm, _), counted in list(self.compiled.items()):
            out.setdefault(arm, Counter()).update(counted)
        for arm, status in list(self.status.values()):
            out.setdefault(arm, Counter())[status] += 1
        return {arm: dict(counted) for arm, counted in out.items()}

    def standing_so(self, status: str) -> list[int]:
        """The matches of a status other than finished, or `trouble`: something in them was not read, or failed."""
        if status == "trouble":
            return sorted({*self.troubles, *self.flaws})
        mixed = [match for match, (_, how) in list(self.status.items()) if how == status]
        return sorted([*mixed, *(match for match, how in list(self.flaws.items()) if how == status)])

    def _count(self, log: ranges.Ranges) -> None:
        spans = log.since(self.number)[1] if self.complete else [Span(match, match, 0) for match in log.begun()]
        for first, last in _slices(span.first for span in spans if span.first == span.last):
            for match, standing in log.standings(first, last).items():
                self.status[match] = standing.arm, standing.status
            self.troubles |= log.troubles(first, last)
        for chunk in log.chunks:
            if (chunk.arm, chunk.number) not in self.compiled:
                rows = parquet.scan(self.folder, chunk, "matches").select("match", pl.col("status").cast(pl.String)).collect()
                self.compiled[chunk.arm, chunk.number] = Counter(rows["status"].to_list())
                self.flaws |= dict(rows.filter(pl.col("status") != "finished").iter_rows())


def _slices(matches: Iterable[int]) -> Iterator[tuple[int, int]]:
    """Neighbours together, so many at a time."""
    slice_: list[int] = []
    for match in sorted(matches):
        if slice_ and (match != slice_[-1] + 1 or len(slice_) == SLICE):
            yield slice_[0], slice_[-1]
            slice_ = []
        slice_.append(match)
    if slice_:
        yield slice_[0], slice_[-1]


def spent(found: Spent | None) -> dict[str, Any] | None:
    """What was spent, for a page; None: not counted yet."""
    if found is None:
        return None
    unpriced, at = sum(each.unpriced for each in found.at), [each._asdict() for each in found.at]
    return {"money": found.money, "cost": words.money(found.money, unpriced), "tokens": found.tokens, "unpriced": unpriced, "at": at}
