"""What a seat holds in the end: the mean over seats."""

import polars as pl

from commonage.measure.contract import KEYS, Measure, Played


class FinalHoldings(Measure):
    """The mean over seats of the fact `holdings` after the last step (Vallinder & Hughes 2024)."""

    unit = "points"
    facts = ("holdings",)

    def each(self, tables):
        played = Played.of(tables)
        rows = played.having(played.moves, "holdings")
        last = rows.group_by(KEYS).agg(value=pl.col("holdings").filter(pl.col("step") == pl.col("step").max()).cast(pl.Float64).mean())
        return last
