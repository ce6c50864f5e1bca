"""The events in SQLite as columns: how matches stand, and the tables of arms whose matches were played one by one."""

from __future__ import annotations

import itertools
import json
import sqlite3
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import polars as pl

from commonage.event import TABLE, Failed, Finished, Inherited, Paused, Replaced, Started
from commonage.store.codec import ORDER, decode, dumps, place, seal, whole
from commonage.store.file import NAME, damaged
from commonage.store.tables import ANSWERS, column, counted, in_words

Span = tuple[int, int]  # the first and the last match, or step


class Rows(NamedTuple):
    """All events of one kind, in the order of their keys."""

    match: np.ndarray  # int32[rows]
    step: np.ndarray
    seat: np.ndarray
    attempt: np.ndarray
    at: np.ndarray  # float64[rows]: seconds since 1970
    bodies: list[dict[str, Any]]

    def only(self, keep: np.ndarray) -> Rows:
        """The rows where bool[rows] holds."""
        if keep.all():
            return self
        return Rows(*(part[keep] for part in self[:5]), [body for body, kept in zip(self.bodies, keep, strict=True) if kept])  # type: ignore[arg-type]


class Outcome(NamedTuple):
    """How a match stands."""

    status: str
    where: str | None = None
    cause: str | None = None
    question: int = -1  # at which a seat failed
    replaced: int = 0  # seats that their substitutes took


def rows(folder: Path, connection: sqlite3.Connection, kind: str, span: Span) -> Rows:
    """The events of one kind. Raises LogError with the place of the first that is not as it was written."""
    query = "SELECT match, step, seat, attempt, at, body, seal FROM events WHERE match BETWEEN ? AND ? AND kind = ?"
    found = connection.execute(query, (*span, kind)).fetchall()
    match, step, seat, attempt, at, texts, seals = zip(*found, strict=True) if found else [()] * 7
    keys = [np.array(key, np.int64) for key in (match, step, seat, attempt)]
    different = list(dict.fromkeys(texts))  # moves repeat: each text is checked and read once
    sums = {text: zlib.crc32(text.encode()) for text in different}
    wrong = np.array([sums[text] for text in texts], np.int64) ^ place(*keys) != np.array(seals, np.int64)
    if wrong.any():
        row = found[wrong.argmax()]
        raise broken(folder, row[0], row[1], row[2], kind)
    known = dict(zip(different, json.loads(f"[{','.join(different)}]"), strict=True))
    narrow = (key.astype(np.int32) for key in keys)
    return Rows(*narrow, at=np.array(at, float), bodies=[known[text] for text in texts])


def of(folder: Path, connection: sqlite3.Connection, kind: str, starts: dict[int, Started]) -> Rows:
    """The events of one kind of these matches."""
    found = rows(folder, connection, kind, (min(starts), max(starts)))
    return found.only(np.isin(found.match, list(starts)))


def of_match(folder: Path, connection: sqlite3.Connection, match: int, steps: Span = (-1, 2**62)) -> list[tuple[int, int, int, Any]]:
    """(step, seat, attempt, event) of one match, in the order of play: within a step the seats, then the table.

    Of these steps only, the first and the last.
    """
    query = "SELECT step, seat, attempt, kind, body, seal FROM events WHERE match = ? AND step BETWEEN ? AND ?"
    found = connection.execute(query, (match, *steps)).fetchall()
    for step, seat, attempt, kind, body, sealed in found:
        if seal(body, match, step, seat, attempt) != sealed:
            raise broken(folder, match, step, seat, kind)
    found.sort(key=lambda row: (row[0], row[1] == TABLE, row[1], row[2], ORDER[row[3]]))
    return [(step, seat, attempt, decode(kind, body)) for step, seat, attempt, kind, body, _ in found]


def broken(folder: Path, match: int, step: int, seat: int, kind: str) -> Exception:
    """The error for an event that is not as it was written."""
    return damaged(folder / NAME, f"match {match}, step {step}, seat {seat}: the event {kind!r} is not as it was written")


def begun(folder: Path, connection: sqlite3.Connection) -> dict[int, dict[int, Started]]:
    """By arm and match: how each match began."""
    (low, high) = connection.execute("SELECT min(match), max(match) FROM events").fetchone()
    out: dict[int, dict[int, Started]] = {}
    found = rows(folder, connection, "started", (low or 0, high or 0))
    for match, body in zip(found.match.tolist(), found.bodies, strict=True):
        out.setdefault(body["arm"], {})[match] = Started(**body)
    return out


def outcomes(folder: Path, connection: sqlite3.Connection, span: Span) -> dict[int, Outcome]:
    """How each match stands that has begun. A pause is overcome once its step is completed."""
    last = dict(
        connection.execute("SELECT match, max(step) FROM events WHERE match BETWEEN ? AND ? AND kind = 'stepped' GROUP BY match", span)
    )
    query = """SELECT match, step, seat, attempt, kind, body, seal FROM events
               WHERE match BETWEEN ? AND ? AND kind IN ('started', 'replaced', 'failed', 'paused', 'finished') ORDER BY match, step"""
    ends: dict[int, list[tuple[int, Any]]] = {}
    for match, step, seat, attempt, kind, body, sealed in connection.execute(query, span):
        if seal(body, match, step, seat, attempt) != sealed:
            raise broken(folder, match, step, seat, kind)
        ends.setdefault(match, []).append((step, decode(kind, body)))
    return {match: outcome(found, last.get(match, TABLE - 1)) for match, found in ends.items()}


def troubled(connection: sqlite3.Connection) -> set[int]:
    """The matches in which an answer could not be read, or a seat failed or paused."""
    return {match for (match,) in connection.execute("SELECT DISTINCT match FROM events WHERE kind IN ('asked', 'failed', 'paused')")}


def answers(folder: Path, connection: sqlite3.Connection, header: dict[str, Any], starts: dict[int, Started]) -> pl.DataFrame:
    """The moves that were asked for, the answers that could not be read, failures and pauses of these matches."""
    ends = outcomes(folder, connection, (min(starts), max(starts)))
    parts = [_answers(kind, of(folder, connection, kind, starts), ends) for kind in ANSWERS["kind"].categories]
    frame = pl.concat(parts).with_columns(arm=pl.lit(header["arm"], pl.Int32)).select(*ANSWERS)
    return frame.join(_before(folder, connection, header, starts), on=["match", "step"], how="anti")


def _answers(kind: str, found: Rows, ends: dict[int, Outcome]) -> pl.DataFrame:
    asked = [_put(kind, body) for body in found.bodies]
    found = found.only(np.array(asked, bool))
    columns = {
        "match": found.match, "status": [ends[match].status for match in found.match.tolist()], "step": found.step, "seat": found.seat,
        "attempt": found.attempt, "kind": [kind] * len(found.bodies), "where": [body.get("where") for body in found.bodies],
    }  # fmt: skip
    return pl.DataFrame(columns, {name: ANSWERS[name] for name in columns})


def _put(kind: str, body: dict[str, Any]) -> bool:
    """Whether it answers a question that was put to somebody: the moves of a guide on its way took no calls, and say so."""
    if kind == "inherited":
        return body.get("written", False)
    return not body.get("forced") and body.get("usage", {}).get("calls") != 0


def _before(folder: Path, connection: sqlite3.Connection, header: dict[str, Any], starts: dict[int, Started]) -> pl.DataFrame:
    """match, step: what was played before a fork."""
    at, keys = header.get("forked", {}).get("at", 0), {"match": pl.Int32, "step": pl.Int32}
    found = of(folder, connection, "stepped", starts) if at else None
    past = found.only(np.array([body["round"] < at for body in found.bodies], bool)) if found else None
    return pl.DataFrame({"match": past.match, "step": past.step} if past else None, keys)


def outcome(ends: list[tuple[int, Any]], last: int) -> Outcome:
    """How a match stands, by its (step, event) and the last step that was completed."""
    events = [event for _, event in ends]
    failures = [event for event in events if isinstance(event, Failed)]
    fatal = next((event for event in failures if not event.retired), None)
    pause = next((event for step, event in reversed(ends) if isinstance(event, Paused) and step > last), None)
    replaced = [event for event in events if isinstance(event, Replaced)]
    flaw = fatal or next(iter([*failures, *replaced]), None)
    by = f"replaced by {flaw.by}: " if isinstance(flaw, Replaced) else ""
    cause = (flaw.where, whole(by + flaw.what), flaw.question) if flaw else (None, None, -1)
    if fatal:
        return Outcome("failed", *cause, len(replaced))
    if any(isinstance(event, Finished) for event in events):
        return Outcome("finished", *cause, len(replaced))
    return Outcome("paused", None, whole(pause.what), -1, len(replaced)) if pause else Outcome("open", *cause, len(replaced))


def tables(folder: Path, connection: sqlite3.Connection, header: dict[str, Any], starts: dict[int, Started]) -> dict[str, pl.DataFrame]:
    """The three tables of these matches of one arm."""
    stepped, moved = (of(folder, connection, kind, starts) for kind in ("stepped", "moved"))
    steps, ends = _steps(stepped), outcomes(folder, connection, (min(starts), max(starts)))
    return {
        "matches": _matches(header, starts, ends, steps, of(folder, connection, "inherited", starts)),
        "steps": steps,
        "moves": _own(
            in_words(_moves(folder, header, stepped, moved, starts), header["questions"]), of(folder, connection, "replaced", starts)
        ),
    }


def _own(moves: pl.DataFrame, replaced: Rows) -> pl.DataFrame:
    """What a seat does after its substitute has taken it is no deed of its own."""
    since = pl.DataFrame({"match": replaced.match, "seat": replaced.seat, "since": replaced.step})
    mine = moves.join(since, on=["match", "seat"], how="left", maintain_order="left")
    return mine.with_columns(pl.when(pl.col("step") < pl.col("since").fill_null(2**31 - 1)).then("deed").alias("deed")).drop("since")


def _matches(
    header: dict[str, Any], starts: dict[int, Started], ends: dict[int, Outcome], steps: pl.DataFrame, inherited: Rows
) -> pl.DataFrame:
    heirs = [_entered(seats) for seats in _heirs(starts, inherited)]
    frame = pl.DataFrame(
        {
            "match": pl.Series(list(starts), dtype=pl.Int32),
            "repeat": [start.repeat for start in starts.values()],
            "generation": [start.generation for start in starts.values()],
            "status": [ends[match].status for match in starts],
            "where": pl.Series([ends[match].where for match in starts], dtype=pl.String),
            "cause": pl.Series([cause(header, ends[match]) for match in starts], dtype=pl.String),
            "replaced": pl.Series([ends[match].replaced for match in starts], dtype=pl.Int32),
            "order": pl.Series([start.order for start in starts.values()], dtype=pl.List(pl.Int32)),
            "strategies": pl.Series([strategies for strategies, _ in heirs], dtype=pl.String),
            "parents": pl.Series([parents for _, parents in heirs], dtype=pl.List(pl.Int32)),
        }
    ).join(counted(steps), on="match", how="left", maintain_order="left")
    return frame.with_columns(pl.col("steps", "rounds").fill_null(0), pl.col("ended", "truncated").fill_null(False))


def cause(header: dict[str, Any], end: Outcome) -> str | None:
    """The cause, behind the question at which a seat failed: `at "choose": the answer was empty`."""
    return f'at "{header["questions"][end.question]["name"]}": {end.cause}' if end.question >= 0 else end.cause


def _heirs(starts: dict[int, Started], inherited: Rows) -> list[dict[int, Inherited]]:
    """For each match with what its seats entered; {} where nothing was inherited, or not by all of them yet."""
    found: dict[int, dict[int, Inherited]] = {match: {} for match in starts}
    for match, seat, body in zip(inherited.match.tolist(), inherited.seat.tolist(), inherited.bodies, strict=True):
        found[match][seat] = Inherited(**body)
    return [seats if len(seats) == len(starts[match].order) else {} for match, seats in found.items()]


def _entered(seats: dict[int, Inherited]) -> tuple[str | None, list[int] | None]:
    """(strategies as JSON, parents), by place in the seat list."""
    heirs = [heir for _, heir in sorted(seats.items())]
    return (dumps([heir.strategy for heir in heirs]), [heir.parent for heir in heirs]) if heirs else (None, None)


def _steps(stepped: Rows) -> pl.DataFrame:
    own = {name: [body[name] for body in stepped.bodies] for name in ("round", "round_over", "ended", "truncated")}
    types = {"round": pl.Int32, "round_over": pl.Boolean, "ended": pl.Boolean, "truncated": pl.Boolean}
    facts = {column(name): pl.Series(values, strict=False) for name, values in _facts(stepped).items() if not _by_seat(values)}
    return pl.DataFrame({"match": stepped.match, "step": stepped.step, **own, **facts}, schema_overrides=types)


def _moves(folder: Path, header: dict[str, Any], stepped: Rows, moved: Rows, starts: dict[int, Started]) -> pl.DataFrame:
    """One row for every seat at every completed step."""
    seats, count = header["seats"], len(stepped.bodies)
    lists = {name: [body[of] for body in stepped.bodies] for name, of in (("reward", "rewards"), ("deed", "deeds"), ("toward", "toward"))}
    facts = {column(name): values for name, values in _facts(stepped).items() if _by_seat(values)}
    types = {"reward": pl.Float32, "deed": pl.Float32, "toward": pl.Int32}
    flat = {name: _flat(folder, header, name, values, types.get(name)) for name, values in {**lists, **facts}.items()}
    frame = pl.DataFrame(
        {
            "match": np.repeat(stepped.match, seats),
            "step": np.repeat(stepped.step, seats),
            "round": np.repeat(np.array([body["round"] for body in stepped.bodies], np.int32), seats),
            "seat": np.tile(np.arange(seats, dtype=np.int32), count),
            "place": _places(stepped.match, starts, seats),
            **_moved(seats, stepped, moved),
            **flat,
        }
    )
    return frame.with_columns(pl.col("deed").fill_nan(None))


def _moved(seats: int, stepped: Rows, moved: Rows) -> dict[str, np.ndarray]:
    """question, move and forced for every seat at every step; -1 where there was no move."""
    keys, mine = (found.match.astype(np.int64) << 32 | found.step for found in (stepped, moved))
    row = np.searchsorted(keys, mine)
    known = row < len(keys)
    known[known] = keys[row[known]] == mine[known]  # a step that was never completed has no row
    where = row[known] * seats + moved.seat[known]
    out = {}
    for name, default in (("question", -1), ("move", -1), ("forced", False)):
        out[name] = np.full(len(keys) * seats, default, np.int32 if name != "forced" else bool)
        out[name][where] = np.array([body.get(name, default) for body in moved.bodies], out[name].dtype)[known]
    return out


def _places(matches: np.ndarray, starts: dict[int, Started], seats: int) -> np.ndarray:
    """int32[rows x seats]: where in the game each place of the seat list plays."""
    known = np.array(list(starts), np.int32)
    orders = np.array([start.order for start in starts.values()], np.int32).reshape(len(known), seats)
    return np.argsort(orders, axis=1).astype(np.int32)[np.searchsorted(known, matches)].ravel()


def _facts(stepped: Rows) -> dict[str, list[Any]]:
    names = dict.fromkeys(itertools.chain.from_iterable(body["facts"] for body in stepped.bodies))
    return {name: [body["facts"].get(name) for body in stepped.bodies] for name in names}


def _by_seat(values: Iterable[Any]) -> bool:
    return isinstance(next((value for value in values if value is not None), None), list)


def _flat(folder: Path, header: dict[str, Any], name: str, values: list[Any], kind: Any) -> pl.Series:
    """One value per seat and step, of lists by place in the seat list."""
    none = [None] * header["seats"]
    flat = list(itertools.chain.from_iterable(none if value is None else value for value in values))
    if len(flat) != len(values) * header["seats"]:
        raise damaged(folder / NAME, f"arm {header['arm']}: {name!r} has not one value for each of {header['seats']} seats")
    return pl.Series(flat, dtype=kind, strict=False)
