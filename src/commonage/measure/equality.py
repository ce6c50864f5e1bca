"""How equally the seats earned: 1 less the Gini coefficient."""

import polars as pl

from commonage.measure.contract import Measure, Played


class Equality(Measure):
    """1 - sum_ij |R_i - R_j| / (2 n sum_i R_i), with R_i as in `gain` (e of Piatti et al. 2024).

    Undefined where the seats together earned nothing, or lost; below 0 only where some of them lost.
    """

    unit = "share"
    span = (None, 1.0)

    def each(self, tables):
        # over sorted earnings sum_ij |R_i - R_j| = 2 sum_k (2k - n - 1) R_(k)
        rank, n, total = pl.int_range(1, pl.len() + 1), pl.len(), pl.col("gain").sum()
        spread = ((2 * rank - n - 1) * pl.col("gain").sort()).sum()
        return Played.of(tables).by_seat(pl.when(total > 0).then(1 - spread / (n * total)))
