"""Intervals: published examples, and coverage of a known truth."""

import numpy as np
import pytest

from commonage.measure import intervals

rng = lambda seed=0: np.random.default_rng(seed)


@pytest.mark.parametrize(
    ("successes", "n", "low", "high"),  # Newcombe 1998, Stat. Med. 17:857, table I, method 3
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_wilson(successes, n, low, high):
    found = intervals.rate(successes, n)
    assert found[1:3] == (pytest.approx(low, abs=5e-5), pytest.approx(high, abs=5e-5))


def test_newcombe_for_paired_rates():  # Newcombe 1998, Stat. Med. 17:2635: a table of 36, 12, 2, 0
    first = [1] * 36 + [1] * 12 + [0] * 2
    second = [1] * 36 + [0] * 12 + [1] * 2
    found = intervals.paired_rates(second, first)
    assert found == (pytest.approx(0.2), pytest.approx(0.0569, abs=5e-5), pytest.approx(0.3404, abs=5e-5), 50)


def test_arms_that_never_differ_may_still_do_so():
    found = intervals.paired_rates([0] * 192 + [1] * 8, [0] * 192 + [1] * 8)
    assert found.mean == 0
    assert -0.03 < found.low < 0 < found.high < 0.03


def test_nothing_is_made_of_nothing():
    assert intervals.mean([]) == (None, None, None, 0)
    assert intervals.mean([3.0]) == (3.0, None, None, 1)
    assert intervals.rate(0, 0) == (None, None, None, 0)
    assert intervals.paired_rates([], []) == (None, None, None, 0)
    assert intervals.mean([0.1] * 7) == (0.1, 0.1, 0.1, 7)
    assert intervals.difference(intervals.mean([]), intervals.mean([1.0])).mean is None
    assert intervals.difference(intervals.mean([2.0]), intervals.mean([5.0])) == (3.0, None, None, 1)


def test_the_same_sample_gives_the_same_interval():
    x = rng().exponential(size=37)
    intervals._weights.cache_clear()
    first = intervals.mean(x)
    intervals._weights.cache_clear()
    assert intervals.mean(x) == first
    assert first.low < first.mean < first.high


def test_an_interval_stays_where_values_can_be():
    assert intervals.mean([0.9, 1.0, 0.95], (0.0, 1.0)).high == 1.0
    assert intervals.mean([0.9, 1.0, 0.95]).high > 1.0


def test_many_repeats_agree_with_the_bootstrap_that_they_replace():
    x = rng(1).exponential(size=intervals.MANY)
    resampled, limit = intervals.mean(x), intervals._skewed(x)
    width = resampled.high - resampled.low
    assert abs(resampled.low - limit[0]) < 0.05 * width
    assert abs(resampled.high - limit[1]) < 0.05 * width


def test_bca_as_scipy_has_it():
    from scipy.stats import bootstrap

    x = rng(2).exponential(size=400)  # so many that the widening for small samples does not show
    theirs = bootstrap((x,), np.mean, n_resamples=4000, method="BCa", rng=rng(3)).confidence_interval
    ours = intervals.mean(x)
    assert np.allclose(theirs, ours[1:3], atol=0.06 * (ours.high - ours.low))


TRUTHS = {
    "normal": (lambda g, n: g.normal(5, 2, n), 5.0),
    "exponential": (lambda g, n: g.exponential(3, n), 3.0),
    "months": (lambda g, n: np.minimum(12, g.geometric(0.12, n)), sum(0.88**k for k in range(12))),
}


@pytest.mark.parametrize("n", [3, 10, 30, 100])
@pytest.mark.parametrize("truth", TRUTHS)
def test_coverage_of_means(truth, n):
    draw, mean = TRUTHS[truth]
    found = [intervals.mean(draw(rng(i), n)) for i in range(300)]
    covered = np.mean([f.low <= mean <= f.high for f in found if f.low is not None])
    least = 0.85 if truth != "normal" and n < 30 else 0.9
    assert least < covered < 0.995


@pytest.mark.parametrize(("p", "n"), [(0.5, 10), (0.05, 20), (0.9, 200)])
def test_coverage_of_rates(p, n):
    found = [intervals.rate(rng(i).binomial(n, p), n) for i in range(400)]
    assert 0.88 < np.mean([f.low <= p <= f.high for f in found]) <= 1


@pytest.mark.parametrize("n", [20, 200])
def test_coverage_of_paired_rates(n):
    hits = []
    for i in range(400):  # b repairs 30 % of what a loses
        a, fixed = rng(i).random(n) < 0.4, rng(i + 999).random(n) < 0.3
        found = intervals.paired_rates(a, a | fixed)
        hits.append(found.low <= 0.6 * 0.3 <= found.high)
    assert 0.9 < np.mean(hits) <= 1


def test_pairing_tells_what_arms_apart_do_not():
    noise = rng(4).normal(0, 10, 50)
    a, b = noise, noise + 1 + rng(5).normal(0, 0.5, 50)
    paired = intervals.mean(b - a)
    unpaired = intervals.difference(intervals.mean(a), intervals.mean(b))
    assert paired.low > 0
    assert unpaired.low < 0 < unpaired.high
    assert paired.mean == pytest.approx(unpaired.mean)


def test_needed_and_detectable_are_each_others_inverse():
    """Two means half a standard deviation apart: 63 in each group at power .8 (Lachin 1981's formula, 2 (1.96 + .8416)^2 / .25)."""
    assert intervals.needed(0.5, np.sqrt(2)) == 63
    assert intervals.needed(0.5, 1.0, power=0.9) == 43  # (1.96 + 1.2816)^2 / .25 = 42.03
    assert intervals.needed(0.0, 1.0) is None
    a, b = np.array([0.0, 1, 2, 3]), np.array([1.0, 1, 4, 4])
    apart, paired = intervals.detectable(a, b, paired=False), intervals.detectable(a, b)
    sd = np.hypot(a.std(ddof=1), b.std(ddof=1))
    assert apart == pytest.approx((1.959964 + 0.8416212) * sd / 2)
    assert paired == pytest.approx((1.959964 + 0.8416212) * (b - a).std(ddof=1) / 2)
    assert intervals.detectable(a, b, n=16) == pytest.approx(paired / 2)
    assert intervals.needed(paired, (b - a).std(ddof=1)) == 4
    assert intervals.detectable(a[:1], b[:1]) is None


def test_repeats_needed_is_the_textbook_number():
    x = np.array([1.0, -1.0] * 50) + 0.5  # sd about 1, mean 0.5: ((1.96 + 0.84) / 0.5)^2 = 31.4
    assert intervals.repeats_needed(x) == 32
    assert intervals.repeats_needed(np.zeros(9)) is None
    assert intervals.repeats_needed(np.ones(1)) is None
