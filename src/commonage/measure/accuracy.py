"""The share of right answers."""

import polars as pl

from commonage.measure.contract import KEYS, Measure, Played


class Accuracy(Measure):
    """1 where the last answer of a match was right, else 0; of games that record `right` (Piatti et al. 2024, sub-skills).

    Undefined where nothing was answered (`right` is -1), and in games without right answers.
    """

    kind = "rate"
    unit = "share"
    span = (0.0, 1.0)
    facts = ("right",)

    def each(self, tables):
        played = Played.of(tables)
        last = played.having(played.steps, "right").sort("step").group_by(KEYS).agg(value=pl.col("right").last().cast(pl.Float64))
        return last.with_columns(value=pl.when(pl.col("value") >= 0).then("value"))
