"""The share of matches that never collapsed."""

import polars as pl

from commonage.measure.contract import Measure, Played


class SurvivalRate(Measure):
    """1 for a match that the game itself never ended, else 0 (q of Piatti et al. 2024)."""

    kind = "rate"
    unit = "share"
    span = (0.0, 1.0)

    def each(self, tables):
        return Played.of(tables).matches.select("arm", "match", value=(~pl.col("ended")).cast(pl.Float64))
