"""The logarithm of what a seat holds in the end: the mean over seats."""

import math

import polars as pl

from commonage.measure.contract import KEYS, Measure, Played

LEAST = 0.01  # points: less counts as so much, since 0 has no logarithm


class LogHoldings(Measure):
    """The mean over seats of the natural logarithm of the fact `holdings` after the last step; below 0.01 counts as 0.01.

    Holdings grow by a factor in each round, so that their mean is nearly an exponential of small differences in what is
    given, and is made by the few who hold most. The logarithm turns factors into differences.
    """

    unit = "ln points"
    span = (math.log(LEAST), None)
    facts = ("holdings",)

    def each(self, tables):
        played = Played.of(tables)
        rows = played.having(played.moves, "holdings")
        last = pl.col("holdings").filter(pl.col("step") == pl.col("step").max()).cast(pl.Float64)
        return rows.group_by(KEYS).agg(value=last.clip(LEAST).log().mean())
