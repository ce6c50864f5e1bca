"""What each seat did and to whom, counted from the log: apples, cleaning, zaps, coins."""

from __future__ import annotations

from typing import Any

import polars as pl

from commonage.measure.contract import KEYS, Played

ACTS = ("ate", "cleaned", "zapped", "zapped_by", "own_coins", "others_coins")  # facts that count acts


def by_seat(tables: Any) -> pl.DataFrame:
    """One row for each seat of each finished match: arm, match, seat (from 0), and how often it did what.

    `ate`, `cleaned`, `zapped`, `zapped_by`, `own_coins`, `others_coins`, and `away`: steps for which it was not there.
    A column is there where some arm records it, null in the others.
    """
    played = Played.of(tables)
    rows = played.acted().sort(*KEYS, "seat", "turn")
    known = [name for name in ACTS if name in rows.columns]
    counts = {name: _sum(pl.col(name)) for name in known}
    if "out" in rows.columns:
        counts["away"] = _sum((pl.col("out") > 0).shift(1))
    return rows.group_by(*KEYS, "seat", maintain_order=True).agg(**counts)


def whom(tables: Any) -> pl.DataFrame:
    """arm, match, seat, whom, zaps: how often who hit whom, for the pairs of which one hit the other; seats from 0.

    From the fact `zapped_whom`, whose bits are places in the game.
    """
    rows = Played.of(tables).acted("zapped_whom")
    hits = rows.filter(pl.col("zapped_whom") > 0).select(*KEYS, "step", "seat", "zapped_whom")
    others = rows.select(*KEYS, "step", "place", whom="seat")
    hit = (pl.col("zapped_whom").cast(pl.Int64) // pl.lit(2, pl.Int64).pow(pl.col("place"))) % 2 == 1
    return hits.join(others, on=(*KEYS, "step")).filter(hit).group_by(*KEYS, "seat", "whom").len("zaps").sort(*KEYS, "seat", "whom")


def _sum(counts: pl.Expr) -> pl.Expr:
    """Their sum; null where nothing was recorded."""
    return pl.when(counts.count() > 0).then(counts.cast(pl.Int64).sum())
