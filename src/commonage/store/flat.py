"""All events as one flat table: a row for each event, a column for each field; what is nested is JSON."""

from __future__ import annotations

import json
from typing import Any

import polars as pl

from commonage.event import EVENTS, TABLE
from commonage.store.codec import dumps, whole
from commonage.store.mixed import Rows
from commonage.store.tables import CODED, MOVES, STEPS, in_words

KEYS = {"arm": pl.Int32, "match": pl.Int32, "step": pl.Int32, "seat": pl.Int32, "attempt": pl.Int32}
NESTED = ("order", "strategy", "memory", "usage", "rewards", "deeds", "toward", "facts")
FIELDS: dict[str, Any] = {
    "repeat": pl.Int32,
    "order": pl.String,
    "generation": pl.Int32,
    "strategy": pl.String,
    "parent": pl.Int32,
    "written": pl.Boolean,
    "question": pl.Categorical,
    "move": pl.Int32,
    "choice": pl.Categorical,
    "forced": pl.Boolean,
    "says": pl.String,
    "text": pl.String,
    "problem": pl.String,
    "memory": pl.String,
    "usage": pl.String,
    "where": pl.String,
    "what": pl.String,
    "by": pl.String,
    "retired": pl.Boolean,
    "round": pl.Int32,
    "round_over": pl.Boolean,
    "ended": pl.Boolean,
    "truncated": pl.Boolean,
    "rewards": pl.String,
    "deeds": pl.String,
    "toward": pl.String,
    "facts": pl.String,
    "rounds": pl.Int32,
}
SCHEMA: dict[str, Any] = {**KEYS, "kind": pl.Enum(list(EVENTS)), **FIELDS, "at": pl.Datetime("us", "UTC")}


def mixed(header: dict[str, Any], kinds: dict[str, Rows]) -> pl.DataFrame:
    """The events of one arm in SQLite, by kind."""
    return _in_order([_written(header, kind, rows) for kind, rows in kinds.items()])


def compiled(tables: dict[str, pl.DataFrame]) -> pl.DataFrame:
    """The events of a chunk, as a mixed runner would have written them, without clocks."""
    matches, steps, moves = (tables[table] for table in ("matches", "steps", "moves"))
    over, broken = matches.filter(status="finished"), matches.filter(status="failed")
    kinds = {
        "started": matches.select("arm", "match", "repeat", "generation", order=_json("order"), step=pl.lit(-1)),
        "inherited": _inherited(matches),
        "moved": moves.filter(pl.col("question").is_not_null()).drop("round", "toward"),
        "stepped": _stepped(steps, moves),
        "failed": broken.select("arm", "match", "where", step="steps", what="cause", retired=pl.lit(False)),
        "finished": over.select("arm", "match", "rounds", "ended", step="steps"),
    }
    return _in_order([_whole(frame.with_columns(attempt=pl.lit(0)), kind) for kind, frame in kinds.items()])


def together(parts: list[pl.DataFrame]) -> pl.DataFrame:
    """The events of all arms and chunks, by their first match."""
    parts = [part for part in parts if part.height]
    return pl.concat([pl.DataFrame(schema=SCHEMA), *sorted(parts, key=lambda part: part["match"][0])])


def _in_order(frames: list[pl.DataFrame]) -> pl.DataFrame:
    """In the order of play: within a step the seats, then the table."""
    table = (pl.col("seat") == TABLE, pl.col("seat"), pl.col("attempt"), pl.col("kind").to_physical())
    return pl.concat(frames).sort("match", "step", *table, maintain_order=True)


def _written(header: dict[str, Any], kind: str, rows: Rows) -> pl.DataFrame:
    cls = EVENTS[kind]
    given = {name: [body.get(name, cls._field_defaults.get(name)) for body in rows.bodies] for name in cls._fields if name != "arm"}
    columns = {name: [_text(name, value) for value in values] if FIELDS[name] == pl.String else values for name, values in given.items()}
    keys = {"match": rows.match, "step": rows.step, "seat": rows.seat, "attempt": rows.attempt}
    types = {name: CODED.get(name, FIELDS[name]) for name in columns}
    frame = pl.DataFrame({**keys, **{name: pl.Series(values, dtype=types[name]) for name, values in columns.items()}})
    frame = frame.with_columns(at=pl.Series(rows.at * 1e6).cast(pl.Int64).cast(SCHEMA["at"]), arm=pl.lit(header["arm"], pl.Int32))
    if "question" in columns:
        frame = in_words(frame if "move" in columns else frame.with_columns(move=pl.lit(-1)), header["questions"])
    return _whole(frame, kind)


def _text(name: str, value: Any) -> str | None:
    """What is nested as JSON; what is empty as null."""
    if value in (None, "", {}):
        return None
    return dumps(value) if name in NESTED else whole(value)


def _stepped(steps: pl.DataFrame, moves: pl.DataFrame) -> pl.DataFrame:
    """Each step with what it did to every seat, as JSON lists by place in the seat list."""
    seat_facts = [name for name in moves.columns if name not in MOVES]
    table_facts = [name for name in steps.columns if name not in STEPS]
    lists = moves.group_by("match", "step").agg(pl.col("reward", "deed", "toward", *seat_facts).sort_by("seat"))
    frame = steps.join(lists, on=["match", "step"], how="left", maintain_order="left")
    facts = pl.struct(table_facts + seat_facts).struct.json_encode() if table_facts or seat_facts else pl.lit("{}")
    return frame.with_columns(rewards=_json("reward"), deeds=_json("deed"), toward=_json("toward"), facts=facts)


def _inherited(matches: pl.DataFrame) -> pl.DataFrame:
    """With what each seat entered, one row each."""
    rows = [
        (arm, match, -1, seat, None if strategy is None else dumps(strategy), parent, False)
        for arm, match, texts, parents in matches.drop_nulls("strategies").select("arm", "match", "strategies", "parents").iter_rows()
        for seat, (strategy, parent) in enumerate(zip(json.loads(texts), parents, strict=True))
    ]
    names = ("arm", "match", "step", "seat", "strategy", "parent", "written")
    return pl.DataFrame(rows, {name: {**KEYS, **FIELDS}[name] for name in names}, orient="row")


def _json(column: str) -> pl.Expr:
    """A column of lists as JSON text."""
    texts = pl.col(column).list.eval(pl.element().cast(pl.String).fill_null("null"))
    return pl.format("[{}]", texts.list.join(","))


def _whole(frame: pl.DataFrame, kind: str) -> pl.DataFrame:
    """All columns, null where this kind of event has none; without a seat it concerns the whole table."""
    known = {"seat": pl.lit(TABLE), **{name: pl.col(name) for name in frame.columns}, "kind": pl.lit(kind, SCHEMA["kind"])}
    return frame.select(known.get(name, pl.lit(None)).cast(dtype).alias(name) for name, dtype in SCHEMA.items())
