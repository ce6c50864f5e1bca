"""From a log to polars tables, equal in form for mixed and compiled arms; and whether two logs are equal."""

from __future__ import annotations

import gc
import itertools
import sqlite3
from collections.abc import Collection, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl

from commonage.event import EVENTS
from commonage.model import Call
from commonage.store import calls as journal
from commonage.store import file, flat, mixed, parquet, same
from commonage.store.tables import ANSWERS, COLUMNS, in_words, together

Frames = dict[str, pl.DataFrame]


class Tables(NamedTuple):
    """What a study left behind. The columns are in `tables.py`; facts stand behind them, one column each."""

    arms: list[dict[str, Any]]  # headers
    matches: pl.DataFrame  # those that have begun
    steps: pl.DataFrame  # those that were completed
    moves: pl.DataFrame  # one row for every seat at every completed step


def read(folder: str | Path, arms: Collection[int] | None = None, matches: Collection[int] | None = None) -> Tables:
    """The tables of a study; of these arms, or of these matches only (both by number).

    Raises LogError with the place where the log is not as it was written. Another process may be writing it.
    """
    folder = Path(folder)
    with _opened(folder) as connection:
        headers = [header for header in file.headers(folder, connection) if arms is None or header["arm"] in arms]
        parts = [*_mixed(folder, connection, headers, matches), *_compiled(folder, connection, headers, matches)]
    return Tables(headers, *(together(table, [part[table] for part in parts]) for table in COLUMNS))


def events(folder: str | Path) -> pl.DataFrame:
    """All events in the order of play, one row each, one column for each field; what is nested is JSON.

    Compiled arms keep tables, not events: theirs are made from them, and have no clock.
    """
    folder = Path(folder)
    with _opened(folder) as connection:
        headers = file.headers(folder, connection)
        parts = [flat.compiled(part) for part in _compiled(folder, connection, headers, None)]
        begun = mixed.begun(folder, connection)
        for header in headers:
            if starts := begun.get(header["arm"]):
                kinds = {kind: mixed.of(folder, connection, kind, starts) for kind in EVENTS}
                parts.append(flat.mixed(header, kinds))
    return flat.together(parts)


def match(folder: str | Path, number: int) -> list[tuple[int, int, int, Any]]:
    """(step, seat, attempt, event) of one mixed match, as `Log.events`, but for readers: another process may be writing."""
    folder = Path(folder)
    with _opened(folder) as connection:
        return mixed.of_match(folder, connection, number)


def calls(folder: str | Path) -> pl.DataFrame:
    """All calls of models in the order in which they were made, one row each: columns in `store.calls.FRAME`."""
    folder = Path(folder)
    with _opened(folder) as connection:
        return journal.frame(folder, connection, _arm_of(mixed.begun(folder, connection)))


def sent(folder: str | Path, number: int) -> list[tuple[int, int, int, int, Call]]:
    """(step, seat, attempt, number, call) of one match in the order in which they were made: every message exactly as sent."""
    folder = Path(folder)
    with _opened(folder) as connection:
        return journal.of_match(folder, connection, number)


def answers(folder: str | Path) -> pl.DataFrame:
    """What came of the questions put to agents: their moves, unread answers, failures and pauses; columns in `ANSWERS`.

    Of the arms in which a model was called or something went wrong: elsewhere every question was a move. The moves of
    before a fork are left out: they were made elsewhere.
    """
    folder = Path(folder)
    with _opened(folder) as connection:
        begun, headers = mixed.begun(folder, connection), file.headers(folder, connection)
        told = mixed.troubled(connection) | journal.matches(connection)
        arms = [header for header in headers if not told.isdisjoint(begun.get(header["arm"], {}))]
        parts = [mixed.answers(folder, connection, header, begun[header["arm"]]) for header in arms]
    return pl.concat([pl.DataFrame(schema=ANSWERS), *parts])


def equal(a: str | Path, b: str | Path) -> list[str]:
    """The differences between two logs, clocks and overcome pauses aside; [] where they are equal."""
    return same.capped(_unlike(Path(a), Path(b)))


def _unlike(a: Path, b: Path) -> Iterator[str]:
    with _opened(b) as other, _opened(a) as one:
        mine, theirs = file.headers(a, one), file.headers(b, other)
        for i, pair in enumerate(itertools.zip_longest(mine, theirs)):
            yield from (f"arm {i}: {found}" for found in same.differences(*pair))
        yield from same.events(one, b)
        yield from same.calls(one)
        tables = [_by_table(_compiled(*place, None)) for place in ((a, one, mine), (b, other, theirs))]
    for table in COLUMNS:
        yield from same.frames(table, *(frames[table] for frames in tables))


def _arm_of(begun: dict[int, dict[int, Any]]) -> dict[int, int]:
    return {number: arm for arm, starts in begun.items() for number in starts}


def _by_table(parts: Iterator[Frames]) -> Frames:
    kept = list(parts)
    return {table: together(table, [part[table] for part in kept]) for table in COLUMNS}


@contextmanager
def _opened(folder: Path) -> Iterator[sqlite3.Connection]:
    """One unchanging view of the log, whatever a writer adds meanwhile."""
    with closing(file.connect(folder)) as connection, file.guarded(folder / file.NAME), _uncollected():
        connection.execute("BEGIN")
        yield connection


@contextmanager
def _uncollected() -> Iterator[None]:
    """Without the garbage collector, which would look through millions of fresh rows again and again: half of the time."""
    before = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if before:
            gc.enable()


def _mixed(
    folder: Path, connection: sqlite3.Connection, headers: list[dict[str, Any]], matches: Collection[int] | None
) -> Iterator[Frames]:
    begun = mixed.begun(folder, connection)
    for header in headers:
        starts = {match: start for match, start in begun.get(header["arm"], {}).items() if matches is None or match in matches}
        if starts:
            yield _of_arm(header, mixed.tables(folder, connection, header, starts))


def _compiled(
    folder: Path, connection: sqlite3.Connection, headers: list[dict[str, Any]], matches: Collection[int] | None
) -> Iterator[Frames]:
    known = {header["arm"]: header for header in headers}
    for chunk in file.chunks(folder, connection):
        if chunk.arm in known and (matches is None or any(chunk.first <= match <= chunk.last for match in matches)):
            frames = {table: parquet.read(folder, chunk, table) for table in COLUMNS}
            frames["moves"] = in_words(frames["moves"], known[chunk.arm]["questions"])
            frames = _of_arm(known[chunk.arm], frames)
            yield (
                frames
                if matches is None
                else {table: frame.filter(pl.col("match").is_in(list(matches))) for table, frame in frames.items()}
            )


def _of_arm(header: dict[str, Any], frames: Frames) -> Frames:
    """With the column `arm`, and its own columns of the right types."""
    out = {}
    for table, frame in frames.items():
        own = {name: kind for name, kind in COLUMNS[table].items() if name in frame.columns}
        out[table] = frame.with_columns(
            pl.lit(header["arm"], pl.Int32).alias("arm"), *(pl.col(name).cast(kind) for name, kind in own.items())
        )
    return out
