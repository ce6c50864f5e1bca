"""How many rounds a match lasted; the round of a collapse counts."""

import polars as pl

from commonage.measure.contract import Measure, Played


class SurvivalTime(Measure):
    """Rounds played, the round of the collapse included (m of Piatti et al. 2024).

    A collapse in the last round has the same survival time as none at all: `survival_rate` tells them apart.
    """

    unit = "rounds"

    def each(self, tables):
        return Played.of(tables).matches.select("arm", "match", value=pl.col("rounds").cast(pl.Float64))
