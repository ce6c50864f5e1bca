"""How much of their time the cooks stood still."""

import polars as pl

from commonage.measure.contract import KEYS, Measure, Played


class Idle(Measure):
    """The share of moves by which a seat chose to stay."""

    unit = "share"
    higher = False
    facts = ("idle",)
    span = (0.0, 1.0)

    def each(self, tables):
        return Played.of(tables).acted("idle").group_by(KEYS).agg(value=pl.col("idle").cast(pl.Float64).mean())
