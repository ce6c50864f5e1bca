"""How cooperative the deeds were, by each game's own definition."""

import polars as pl

from commonage.measure.contract import Measure, Played


class Cooperation(Measure):
    """The mean of all deeds of a match: 1 cooperative, 0 not, between: in part.

    Each game says what it calls cooperative: in the commons no more than the sustainable share, in the donor game
    the share donated, in a market collusion. Undefined where nobody did anything.
    """

    unit = "share"
    span = (0.0, 1.0)

    def each(self, tables):
        count = pl.col("count").sum()
        return Played.of(tables).by_seat(pl.when(count > 0).then(pl.col("deeds").sum() / count))
