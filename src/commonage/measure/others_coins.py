"""How many of the coins that were taken were another's."""

import polars as pl

from commonage.measure.contract import KEYS, Measure, Played


class OthersCoins(Measure):
    """The share of the coins taken that were the other's (Lerer & Peysakhovich 2017; 1 less it is LOLA's probability of the own coin).

    Undefined where no coin was taken. By seat: `acts.by_seat`.
    """

    unit = "share"
    higher = False
    facts = ("own_coins", "others_coins")
    span = (0.0, 1.0)

    def each(self, tables):
        own, others = (pl.col(fact).cast(pl.Int64).sum() for fact in self.facts)
        return Played.of(tables).acted(*self.facts).group_by(KEYS).agg(value=pl.when(own + others > 0).then(others / (own + others)))
