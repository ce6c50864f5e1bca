"""Whether the goal was reached."""

import polars as pl

from commonage.measure.contract import KEYS, Measure, Played


class Success(Measure):
    """1 where no step was left to the goal at the end of a match, else 0 (Davidson et al. 2025, the binary outcome)."""

    kind = "rate"
    unit = "share"
    span = (0.0, 1.0)
    facts = ("left", "shortest")

    def each(self, tables):
        played = Played.of(tables)
        last = played.having(played.steps, *self.facts).sort("step").group_by(KEYS).agg(pl.col("left").last())
        return last.select(*KEYS, value=(pl.col("left") == 0).cast(pl.Float64))
