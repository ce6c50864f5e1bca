"""How alike the norms are that the seats want."""

from typing import Any

import polars as pl

from commonage.measure.contract import KEYS, Measure, Played


class NormSimilarity(Measure):
    """1 - the mean of |p_i - p_j| over pairs of seats / the range of what can be proposed; the mean over rounds.

    p_i is what seat i proposed last (`norm`). 1: all want the same. Gupta et al. 2025 report a norm similarity; their formula could
    not be read. Undefined where fewer than two seats ever proposed.
    """

    unit = "share"
    span = (0.0, 1.0)
    facts = ("norm.proposed",)

    def each(self, tables):
        played = Played.of(tables)
        # facts stand still while mechanisms act: what is wanted in a round is what is known when its deeds are done
        deeds = played.having(played.moves, "norm.proposed").filter(pl.col("deed").cast(pl.Float32).is_not_nan())
        wants = deeds.filter(pl.col("norm.proposed") >= 0).select(*KEYS, "step", pl.col("norm.proposed").cast(pl.Int64))
        most = pl.col("arm").replace_strict({arm["arm"]: _range(arm["questions"][0]) for arm in played.arms}, return_dtype=pl.Int64)
        # over sorted proposals sum_i<j |p_i - p_j| = sum_k (2k - n - 1) p_(k)
        rank, n, sorted_ = pl.int_range(1, pl.len() + 1), pl.len(), pl.col("norm.proposed").sort()
        apart = ((2 * rank - n - 1) * sorted_).sum() / (n * (n - 1) / 2)
        steps = wants.group_by(*KEYS, "step").agg(apart=pl.when(n > 1).then(apart))
        return steps.group_by(KEYS).agg(value=(1 - pl.col("apart") / most.first()).mean())


def _range(question: dict[str, Any]) -> int:
    """How far apart two amounts can be; 1 where a question has options, of which there is no norm."""
    low, high = question.get("amount") or (0, 1)
    return max(high - low, 1)
