"""How much of the work in the kitchen was for nothing."""

import polars as pl

from commonage.measure.contract import KEYS, Measure, Played


class Redundant(Measure):
    """Acts on what takes none, things picked up by who had laid them down, soups served that nobody ordered: their sum over seats."""

    unit = "acts"
    higher = False
    facts = ("in_vain", "retaken", "wasted")
    span = (0.0, None)

    def each(self, tables):
        played = Played.of(tables)
        vain = [played.total(fact) for fact in self.facts]
        return pl.concat(vain).group_by(KEYS).agg(pl.col("value").sum())
