"""How many of the coins that were taken were another's."""

import polars as pl

from commonage.measure.contract import KEYS, Measure, Played


class OthersCoins(Measure):
    """The share of the coins taken that were the other's (Lerer & Peysakhovich 2017; 1 less it is LOLA's probability of the own coin).

    From the fact `took`: 0 nothing, 1 the own coin, 2 the other's, 3 both. Undefined where no coin was taken.
    """

    unit = "share"
    higher = False
    facts = ("took",)
    span = (0.0, 1.0)

    def each(self, tables):
        took = pl.col("took").cast(pl.Int32)
        own, others = (took & 1).sum(), (took // 2).sum()
        return Played.of(tables).acted("took").group_by(KEYS).agg(value=pl.when(own + others > 0).then(others / (own + others)))
