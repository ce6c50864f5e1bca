"""How short the path to the goal was."""

import polars as pl

from commonage.measure.contract import KEYS, Measure, Played


class PathOptimality(Measure):
    """The shortest path over the steps taken, of matches that reached the goal; undefined in others."""

    unit = "share"
    span = (0.0, 1.0)
    facts = ("left", "shortest", "taken")

    def each(self, tables):
        played = Played.of(tables)
        ends = (pl.col(fact).last().cast(pl.Float64) for fact in self.facts)
        last = played.having(played.steps, *self.facts).sort("step").group_by(KEYS).agg(*ends)
        return last.select(*KEYS, value=pl.when(pl.col("left") == 0).then(pl.col("shortest") / pl.col("taken")))
