"""Whether two logs say the same. Clocks and money do not count, nor pauses that were overcome."""

from __future__ import annotations

import itertools
import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl

from commonage.store import calls as journal
from commonage.store.file import NAME

COLUMNS = "match, step, seat, attempt, kind, body"


def differences(there: Any, given: Any, path: str = "") -> Iterator[str]:
    """Where two JSON values differ: `seed is 1 there, 2 here`."""
    if isinstance(there, dict) and isinstance(given, dict):
        for key in {**there, **given}:
            yield from differences(there.get(key), given.get(key), f"{path}.{key}" if path else key)
    elif isinstance(there, str) and isinstance(given, str) and "\n" in there + given:
        lines = itertools.zip_longest(there.splitlines(), given.splitlines())
        yield from (found for i, pair in enumerate(lines, 1) for found in differences(*pair, f"{path}, line {i}"))
    elif json.dumps(there) != json.dumps(given):  # as text, so that NaN equals NaN
        yield f"{path or 'it'} is {_short(there)} there, {_short(given)} here"


def events(connection: sqlite3.Connection, other: Path) -> Iterator[str]:
    """Where the events in SQLite differ."""
    connection.execute("ATTACH ? AS other", (f"{(other / NAME).resolve().as_uri()}?mode=ro",))
    mine, theirs = (_alone(connection, *pair) for pair in (("main", "other"), ("other", "main")))
    for key in sorted({**mine, **theirs}):
        if mine.get(key) != theirs.get(key):
            place = "match {}, step {}, seat {}, attempt {}, {}".format(*key)
            yield f"{place}: {_short(mine.get(key))} against {_short(theirs.get(key))}"


def calls(connection: sqlite3.Connection) -> Iterator[str]:
    """Where the calls of models differ; `events` has attached the other log."""
    for one, other, says in (("main", "other", "only there"), ("other", "main", "only here")):
        for match, step, seat, attempt, number, model, verb, *_ in journal.differences(connection, one, other):
            yield f"match {match}, step {step}, seat {seat}, attempt {attempt}, call {number}: to {model} by {verb}, {says}"


def frames(table: str, mine: pl.DataFrame, theirs: pl.DataFrame) -> Iterator[str]:
    """Where two tables differ: the first row that does, for each column."""
    if mine.schema != theirs.schema or mine.height != theirs.height:
        odd = sorted(set(mine.schema.items()) ^ set(theirs.schema.items()), key=str)
        what = f"{mine.height} rows against {theirs.height}" if mine.height != theirs.height else f"columns {odd}"
        yield f"{table}: {what}"
        return
    keys = [name for name in ("arm", "match", "step", "seat") if name in mine.columns]
    for name in mine.columns:
        unlike = mine[name].ne_missing(theirs[name])
        if unlike.any():
            row = unlike.arg_max() or 0
            place = ", ".join(f"{key} {mine[key][row]}" for key in keys)
            yield f"{table}: {place}: {name} is {mine[name][row]} against {theirs[name][row]}, and so in {unlike.sum()} rows"


def capped(found: Iterator[str], most: int = 20) -> list[str]:
    """The first differences, and how many more there are."""
    first = list(itertools.islice(found, most))
    more = sum(1 for _ in found)
    return [*first, f"and {more} more"] if more else first


def _alone(connection: sqlite3.Connection, one: str, other: str) -> dict[tuple[Any, ...], Any]:
    """What one log has and the other hasn't, clocks aside, by key."""
    query = f"SELECT {COLUMNS} FROM {one}.events EXCEPT SELECT {COLUMNS} FROM {other}.events"
    rows = ((row[:5], json.loads(row[5])) for row in connection.execute(query) if row[4] != "paused")
    return {key: _timeless(body) for key, body in rows}


def _timeless(body: dict[str, Any]) -> str:
    usage = {name: value for name, value in body.pop("usage", {}).items() if name != "seconds"}
    return json.dumps({**body, "usage": usage} if usage else body, sort_keys=True)


def _short(value: Any) -> str:
    text = "nothing" if value is None else value if isinstance(value, str) else json.dumps(value)
    return text if len(text) <= 120 else f"{text[:117]}..."
