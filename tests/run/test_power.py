"""What a planned study can tell, before anything is spent."""

from __future__ import annotations

import math

import numpy as np
import pytest

from commonage import Arm, Study
from commonage.errors import SpecError
from commonage.measure import intervals
from commonage.run.power import power, spreads, widest

SURE = 1.959964 + 0.841621  # 5 % level, power 80 %


def test_a_rate_at_its_widest() -> None:
    """Two arms near one half, 20 repeats each: 2.8016 x sqrt(0.25 / 20 + 0.25 / 20) = 0.443."""
    plans = power(Study("commons", "sustainer*5", repeats=20), 3.0).plans
    assert [plan.repeats for plan in plans] == [20, 80, 320]
    assert [plan.money for plan in plans] == [3, 12, 48]
    assert plans[0].least["survival_rate"] == pytest.approx(SURE * math.sqrt(2 * 0.25 / 20), abs=1e-4)
    assert plans[1].least["survival_rate"] == pytest.approx(plans[0].least["survival_rate"] / 2)


def test_no_sample_spreads_wider_than_the_bounds_allow() -> None:
    study = Study("commons", "random*5")
    assert widest(study)["survival_time"] == (12 - 1) / 2
    assert widest(study)["gain"] == 130 / 2
    assert widest(study)["cooperation"] == 0.5
    assert "over_usage" not in widest(study)  # no bound is named: nothing is promised


def test_a_game_without_deeds_has_no_cooperation() -> None:
    assert "cooperation" not in widest(Study("subskill", "random"))
    assert "cooperation" in widest(Study(arms=[Arm("subskill", "random"), Arm("dilemma", "grim*2")]))


def test_no_difference_is_larger_than_the_largest() -> None:
    """With two repeats each even 100 points against 0 would not be told: 2.8016 x sqrt(0.25 / 2 + 0.25 / 2) = 1.4; with eight 70 would."""
    plans = power(Study("dilemma", "random*2", repeats=2), 0.0).plans
    assert plans[0].least["cooperation"] is None
    assert plans[1].least["cooperation"] == pytest.approx(SURE * math.sqrt(2 * 0.25 / 8), abs=1e-4)


def test_the_arm_with_the_fewest_repeats_counts() -> None:
    arms = [Arm("commons", "sustainer*5"), Arm("commons", "random*5", repeats=30), Arm("commons", "greedy*5", repeats=12)]
    told = power(Study(arms=arms, repeats=20), 0.0)
    assert told.plans == power(Study("commons", "sustainer*5", repeats=12), 0.0).plans
    assert "of the fewest repeats that an arm has" in told.basis
    assert "fewest" not in power(Study("commons", "sustainer*5"), 0.0).basis


def test_an_unknown_price_stays_unknown() -> None:
    assert [plan.money for plan in power(Study("commons", "sustainer*5"), None).plans] == [None] * 3


def test_what_was_played_says_how_wide_results_spread(tmp_path) -> None:
    result = Study("commons", "sustainer*4,cheat", repeats=60).run(tmp_path / "pilot")
    plan = Study("commons", "sustainer*4,cheat", repeats=30)
    spread = spreads(plan, str(tmp_path / "pilot"))[0]["survival_time"]
    rounds = result.tables.matches["rounds"].to_numpy()
    assert spread == pytest.approx(rounds.std(ddof=1))
    told = power(plan, 0.0, str(tmp_path / "pilot"))
    assert told.plans[0].least["survival_time"] == pytest.approx(SURE * spread * math.sqrt(2 / 30), rel=1e-4)
    assert f"1 arm of commons in {tmp_path / 'pilot'};" in told.basis


def test_a_pilot_without_a_model_says_so_and_what_did_not_vary_keeps_its_bound(tmp_path) -> None:
    Study("commons", "sustainer*5", repeats=9).run(tmp_path / "pilot")
    plan = Study("commons", "llm:fake*5", repeats=20)
    told = power(plan, 0.0, str(tmp_path / "pilot"))
    assert "where no model sits" in told.basis
    assert told.plans[0].least == power(plan, 0.0).plans[0].least


def test_a_pilot_of_another_game_says_nothing(tmp_path) -> None:
    Study("dilemma", "random*2", repeats=3).run(tmp_path / "pilot")
    with pytest.raises(SpecError, match="no arm there is of commons, so it says nothing of this plan"):
        power(Study("commons", "sustainer*5"), 0.0, str(tmp_path / "pilot"))


def test_the_difference_is_found_with_the_power_that_is_promised() -> None:
    """Simulated: two normal samples that far apart differ at the 5 % level in 80 % of 4,000 trials."""
    rng, n, sd = np.random.default_rng(1), 60, 2.0
    apart = intervals.least(sd, sd, n)
    a, b = rng.normal(0, sd, (4000, n)), rng.normal(apart, sd, (4000, n))
    error = np.sqrt(a.var(1, ddof=1) / n + b.var(1, ddof=1) / n)
    found = np.abs(b.mean(1) - a.mean(1)) / error > 1.959964
    assert found.mean() == pytest.approx(0.8, abs=0.025)
