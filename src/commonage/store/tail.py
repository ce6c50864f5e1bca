"""What was appended to a log, numbered in the order in which it was committed: who follows a log reads on behind the last number.

Events have no number of their own: they stand under their place. One writer commits one transaction after the other, and SQLite
numbers the rows of this table within it; so whoever has seen number n has missed nothing up to n, and n outlives both processes.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from typing import NamedTuple

SCHEMA = "CREATE TABLE IF NOT EXISTS tail (n INTEGER PRIMARY KEY, first INTEGER NOT NULL, last INTEGER NOT NULL, step INTEGER NOT NULL)"


class Span(NamedTuple):
    """To these matches something was appended, from this step on."""

    first: int
    last: int
    step: int


def ready(connection: sqlite3.Connection) -> None:
    """Make the table where there is none: a log of before."""
    connection.execute(SCHEMA)


def spans(places: Iterable[tuple[int, int]]) -> list[Span]:
    """Of (match, step) of what is appended together: a span for each match."""
    least: dict[int, int] = {}
    for match, step in places:
        if step < least.get(match, step + 1):
            least[match] = step
    return [Span(match, match, step) for match, step in least.items()]


def put(connection: sqlite3.Connection, appended: Iterable[Span]) -> None:
    """Number them, within the transaction that appends."""
    connection.executemany("INSERT INTO tail (first, last, step) VALUES (?, ?, ?)", appended)


def newest(connection: sqlite3.Connection) -> int:
    """The last number; 0 where nothing was numbered yet."""
    if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'tail'").fetchone():
        return 0
    return connection.execute("SELECT max(n) FROM tail").fetchone()[0] or 0


def since(connection: sqlite3.Connection, number: int) -> tuple[int, list[Span]]:
    """(the last number, what was appended behind `number`)."""
    last = newest(connection)
    if last <= number:
        return last, []
    rows = connection.execute("SELECT first, last, min(step) FROM tail WHERE n > ? AND n <= ? GROUP BY first, last", (number, last))
    return last, [Span(*row) for row in rows]
