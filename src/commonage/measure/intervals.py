"""95 % intervals of means, rates and differences. Plain functions on arrays; the same sample gives the same interval."""

from __future__ import annotations

import functools
import math
from statistics import NormalDist
from typing import Any, NamedTuple

import numpy as np

NORMAL = NormalDist()
Z = NORMAL.inv_cdf(0.975)
RESAMPLES = 4000
FEW, MANY = 5, 1000  # repeats: below, resamples are too few kinds; above, their distribution is known


class Interval(NamedTuple):
    """An estimate with its 95 % limits; all None without a sample, the limits None where nothing can be said of them."""

    mean: float | None
    low: float | None
    high: float | None
    n: int


def mean(sample: np.ndarray, span: tuple[float | None, float | None] = (None, None)) -> Interval:
    """The mean of independent repeats. A single one has no limits; repeats that are all equal have a width of zero.

    The limits are BCa bootstrap limits (Efron 1987), widened for small samples as Student's t is against the
    normal (Hesterberg 2015, "expanded"). Fewer than 5 repeats: Student's t. More than 1,000: the normal limits
    with the correction for skewness to which the bootstrap's converge (Hall 1988). Never outside `span`.
    """
    x = np.asarray(sample, float)
    if len(x) < 2:
        return Interval(float(x[0]) if len(x) else None, None, None, len(x))
    spread = x.std()
    if spread <= 1e-12 * max(1.0, abs(x).max()):
        return Interval(float(x[0]), float(x[0]), float(x[0]), len(x))
    limits = _student(x) if len(x) < FEW else _bootstrap(x) if len(x) <= MANY else _skewed(x)
    low, high = (float(np.clip(limit, *_open(span))) for limit in limits)
    return Interval(float(x.mean()), low, high, len(x))


def known(sample: np.ndarray) -> Interval:
    """The mean over the repeats that are known: NaN stands for a match that failed."""
    return mean(sample[~np.isnan(sample)])


def cell(sample: np.ndarray, unit: str = "points") -> dict[str, Any]:
    """The same as a cell of a summary."""
    return {**known(sample)._asdict(), "unit": unit}


def rate(successes: float, n: int) -> Interval:
    """A share of n independent repeats: the score interval of Wilson (1927)."""
    if n == 0:
        return Interval(None, None, None, 0)
    p, z2 = float(successes) / n, Z * Z
    middle, half = (p + z2 / (2 * n)) / (1 + z2 / n), Z * math.sqrt(p * (1 - p) / n + z2 / (4 * n * n)) / (1 + z2 / n)
    low, high = (0.0 if successes == 0 else middle - half), (1.0 if successes == n else middle + half)
    return Interval(p, low, high, n)


def paired_rates(a: np.ndarray, b: np.ndarray) -> Interval:
    """The difference b - a of two shares over the same repeats: Newcombe (1998, Stat. Med. 17:2635), method 10."""
    a, b = np.asarray(a, bool), np.asarray(b, bool)
    n = len(a)
    if n == 0:
        return Interval(None, None, None, 0)
    both, first, second, neither = (int(x.sum()) for x in (a & b, a & ~b, ~a & b, ~a & ~b))
    spread = math.sqrt((both + first) * (second + neither) * (both + second) * (first + neither))
    cross = both * neither - first * second
    cross = max(cross - n / 2, 0) if cross > 0 else cross  # corrected for continuity
    return difference(rate(a.sum(), n), rate(b.sum(), n), cross / spread if spread else 0.0)


def difference(a: Interval, b: Interval, correlation: float = 0.0) -> Interval:
    """b - a out of their own limits, by square and add (Newcombe 1998; Zou & Donner 2008); independent by default."""
    n = min(a.n, b.n)
    if a.mean is None or b.mean is None:
        return Interval(None, None, None, n)
    if a.low is None or a.high is None or b.low is None or b.high is None:
        return Interval(b.mean - a.mean, None, None, n)
    below = _together(b.mean - b.low, a.high - a.mean, correlation)
    above = _together(b.high - b.mean, a.mean - a.low, correlation)
    return Interval(b.mean - a.mean, b.mean - a.mean - below, b.mean - a.mean + above, n)


def repeats_needed(sample: np.ndarray) -> int | None:
    """How many pairs tell a difference as large as this sample's from none, four times in five; None: none to tell."""
    x = np.asarray(sample, float)
    return needed(float(x.mean()), float(x.std(ddof=1))) if len(x) > 1 else None


def needed(difference: float, sd: float, power: float = 0.8) -> int | None:
    """How many repeats tell a difference from none at the 5 % level with this power; None for no difference.

    n = ((z_.975 + z_power) sd / difference)^2, the normal approximation (Lachin 1981, Control. Clin. Trials 2:93). `sd`: of
    paired differences; of two arms that share no streams sqrt(sd_a^2 + sd_b^2), and n is the repeats of each.
    """
    return None if abs(difference) < 1e-12 else math.ceil(((Z + NORMAL.inv_cdf(power)) * sd / difference) ** 2)


def detectable(a: np.ndarray, b: np.ndarray, n: int | None = None, paired: bool = True, power: float = 0.8) -> float | None:
    """The least difference between two arms that `n` repeats of each tell from none: `needed`, solved for the difference.

    `a` and `b` hold a value for each repeat, in the same order where `paired`; n: as many as there are. None of fewer than two.
    """
    a, b = np.asarray(a, float), np.asarray(b, float)
    if min(len(a), len(b)) < 2:
        return None
    n = n or min(len(a), len(b))
    return least((b - a).std(ddof=1), 0.0, n, power) if paired else least(a.std(ddof=1), b.std(ddof=1), n, power)


def least(sd_a: float, sd_b: float, n: int, power: float = 0.8) -> float:
    """The least difference that `n` repeats of each of two arms tell from none, by their standard deviations: `needed`, solved."""
    return float((Z + NORMAL.inv_cdf(power)) * math.hypot(sd_a, sd_b) / math.sqrt(n))


def _together(one: float, other: float, correlation: float) -> float:
    return math.sqrt(max(one * one - 2 * correlation * one * other + other * other, 0.0))


def _student(x: np.ndarray) -> tuple[float, float]:
    half = _t(len(x)) * x.std(ddof=1) / math.sqrt(len(x))
    return x.mean() - half, x.mean() + half


def _skewed(x: np.ndarray) -> tuple[float, float]:
    error = x.std(ddof=1) / math.sqrt(len(x))
    shift = (2 * Z * Z + 1) * _acceleration(x)
    return x.mean() + error * (shift - Z), x.mean() + error * (shift + Z)


def _bootstrap(x: np.ndarray) -> np.ndarray:
    means = np.sort(_weights(len(x)) @ x)
    near = 1e-9 * np.ptp(x)  # means of equal resamples may differ in the last bit
    below = (np.searchsorted(means, x.mean() - near) + np.searchsorted(means, x.mean() + near)) / (2 * RESAMPLES)
    bias, skew = NORMAL.inv_cdf(min(max(below, 1e-4), 1 - 1e-4)), _acceleration(x)
    wide = _t(len(x)) * math.sqrt(len(x) / (len(x) - 1))
    tails = [NORMAL.cdf(bias + (bias + z) / max(1 - skew * (bias + z), 1e-3)) for z in (-wide, wide)]
    return np.quantile(means, tails)


def _acceleration(x: np.ndarray) -> float:
    """How the spread of the mean changes with the mean: skewness / (6 sqrt n)."""
    d = x - x.mean()
    return float((d**3).sum() / (6 * (d**2).sum() ** 1.5))


@functools.lru_cache(maxsize=2)
def _weights(n: int) -> np.ndarray:
    """float64[RESAMPLES, n]: how often each of n repeats is in a resample, over n. The same draws for every sample of this size."""
    draws = np.random.default_rng(n).integers(0, n, (RESAMPLES, n)) + n * np.arange(RESAMPLES)[:, None]
    return np.bincount(draws.ravel(), minlength=RESAMPLES * n).reshape(RESAMPLES, n) / n


@functools.lru_cache(maxsize=64)
def _t(n: int) -> float:
    """The 97.5 % point of Student's t for n repeats."""
    from scipy.special import stdtrit

    return float(stdtrit(n - 1, 0.975))


def _open(span: tuple[float | None, float | None]) -> tuple[float, float]:
    low, high = span
    return -math.inf if low is None else low, math.inf if high is None else high
