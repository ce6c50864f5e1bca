"""How much of the way to the goal was made."""

import polars as pl

from commonage.measure.contract import KEYS, Measure, Played


class Progress(Measure):
    """1 less the steps that are left at the end over those of the shortest path; 0 where nothing was gained.

    A graded outcome of a walk, as the weighted one of Davidson et al. 2025 is; the formula is ours.
    """

    unit = "share"
    span = (0.0, 1.0)
    facts = ("left", "shortest")

    def each(self, tables):
        played = Played.of(tables)
        ends = (pl.col(fact).last().cast(pl.Float64) for fact in self.facts)
        last = played.having(played.steps, *self.facts).sort("step").group_by(KEYS).agg(*ends)
        return last.select(*KEYS, value=(1 - pl.col("left") / pl.col("shortest")).clip(0, 1))
