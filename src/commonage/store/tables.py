"""The columns of the tables, and what mixed and compiled arms share on the way to them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import polars as pl

STATUS = pl.Enum(["finished", "failed", "paused", "open"])

MATCHES: dict[str, Any] = {
    "arm": pl.Int32,
    "match": pl.Int32,  # from 1, through all arms
    "repeat": pl.Int32,
    "generation": pl.Int32,  # from 1
    "status": STATUS,
    "where": pl.String,  # of a failure: model, agent, game, limit, person; also where only a seat was retired
    "cause": pl.String,  # of a failure or a pause; of a seat that was replaced, where nothing worse happened
    "replaced": pl.Int32,  # seats that their substitutes took
    "steps": pl.Int32,  # completed
    "rounds": pl.Int32,  # completed
    "ended": pl.Boolean,  # the game itself was over
    "truncated": pl.Boolean,  # the clock ran out
    "order": pl.List(pl.Int32),  # order[place in the game] = place in the seat list, both from 0
    "strategies": pl.String,  # by place in the seat list, as JSON; null: nothing is inherited
    "parents": pl.List(pl.Int32),  # the seats of the generation before, by place in the seat list; -1: nobody
}
STEPS: dict[str, Any] = {
    "arm": pl.Int32,
    "match": pl.Int32,
    "step": pl.Int32,  # from 0
    "round": pl.Int32,  # from 1
    "round_over": pl.Boolean,
    "ended": pl.Boolean,
    "truncated": pl.Boolean,
}
MOVES: dict[str, Any] = {
    "arm": pl.Int32,
    "match": pl.Int32,
    "step": pl.Int32,
    "round": pl.Int32,
    "seat": pl.Int32,  # the place in the seat list, from 0
    "place": pl.Int32,  # the place in the game
    "question": pl.Categorical,  # its name; null: the seat was not asked, or had retired
    "move": pl.Int32,  # an index into the question
    "choice": pl.Categorical,  # the move in words
    "forced": pl.Boolean,  # the only legal move: the seat was not asked
    "reward": pl.Float32,
    "deed": pl.Float32,  # null: no deed
    "toward": pl.Int32,  # the seat that the deed concerns, -1: all
}
COLUMNS = {"matches": MATCHES, "steps": STEPS, "moves": MOVES}
ANSWERS: dict[str, Any] = {
    "arm": pl.Int32,
    "match": pl.Int32,
    "status": STATUS,  # of the match
    "step": pl.Int32,
    "seat": pl.Int32,  # -1: what happened to the whole table
    "attempt": pl.Int32,
    "kind": pl.Enum(["moved", "inherited", "asked", "failed", "paused"]),
    "where": pl.String,  # of a failure
}
CODED = {"question": pl.Int32}  # before the words are put in: an index into the header's questions


def column(fact: str) -> str:
    """The column of a fact: its name, or `fact.NAME` where the tables have such a column already."""
    return f"fact.{fact}" if fact in STEPS or fact in MOVES else fact


def counted(steps: pl.DataFrame) -> pl.DataFrame:
    """Per match what its steps add up to: match, steps, rounds, ended, truncated."""
    return steps.group_by("match", maintain_order=True).agg(
        pl.len().cast(pl.Int32).alias("steps"),
        pl.col("round_over").sum().cast(pl.Int32).alias("rounds"),
        pl.col("ended").any(),
        pl.col("truncated").any(),
    )


def in_words(moves: pl.DataFrame, questions: list[dict[str, Any]]) -> pl.DataFrame:
    """Put names for the codes of `question`, and the column `choice`: null where no move was made."""
    moves = moves.with_columns(pl.when(pl.col(name) >= 0).then(pl.col(name)) for name in ("question", "move"))
    most = dict(moves.group_by("question").agg(pl.col("move").max()).drop_nulls().iter_rows())
    says = [_options(question, most.get(i, -1) + 1) for i, question in enumerate(questions)]
    starts = pl.Series([sum(map(len, says[:i])) for i in range(len(says))], dtype=pl.Int32)
    names = pl.Series([question["name"] for question in questions], dtype=pl.Categorical)
    words = pl.Series([option for options in says for option in options], dtype=pl.Categorical)
    asked = moves["question"]
    return moves.with_columns(question=names.gather(asked), choice=words.gather(starts.gather(asked) + moves["move"]))


def _options(question: dict[str, Any], count: int) -> list[str]:
    """The first moves of a question in words; of a long range of amounts no more than are needed."""
    return list(question["options"][:count]) if question.get("options") else [str(question["amount"][0] + i) for i in range(count)]


def together(table: str, frames: Iterable[pl.DataFrame]) -> pl.DataFrame:
    """One table of the frames of several arms or chunks: its own columns first, then the facts by name."""
    own = COLUMNS[table]
    whole = pl.concat([pl.DataFrame(schema=own), *frames], how="diagonal_relaxed")
    facts = sorted(set(whole.columns) - set(own))
    return whole.select(*own, *(_narrow(whole[fact]) for fact in facts))


def _narrow(fact: pl.Series) -> pl.Series:
    """Facts come as JSON from one runner and as arrays from the other: 32 bits in both, where they suffice."""
    if fact.dtype.is_float():
        return fact.cast(pl.Float32)
    if fact.dtype.is_integer() and fact.dtype != pl.Int32:
        low, high = fact.min(), fact.max()
        return fact.cast(pl.Int32 if low is None or (low >= -(2**31) and high < 2**31) else pl.Int64)  # type: ignore[operator]
    return fact
