"""The numbers of a study: what stands beside a mean, what failures could change, what differs between arms."""

import json

import pytest
from studied import arm, fish, fishery, match, tables

from commonage.errors import SpecError
from commonage.measure import statistics


def lasting(months, **more):
    """A match of so many months in which one seat catches 10 each, one 12."""
    rows = [[10, 12]] * months
    return match(rows, [[1, 0]] * months, {"caught": rows}, {"threshold": [10] * months}, **more)


def failing(cause="no legal move", **more):
    return lasting(1, **{"status": "failed", "where": "agent", "cause": cause, **more})


def test_summary_is_the_json_that_others_rely_on():
    study = tables((fishery("mine"), [lasting(12), lasting(6, ended=True), failing(), lasting(2, status="paused", cause="budget")]))
    out = json.loads(json.dumps(statistics.summary(study)))
    (mine,) = out["arms"]
    assert mine["spec"] == {"game": "commons", "with": [], "seats": "sustainer*5"}
    assert [mine[key] for key in ("name", "matches", "failed", "paused", "open", "retired")] == ["mine", 4, 1, 1, 0, 0]
    cell = mine["measures"]["survival_time"]
    assert {"mean", "low", "high", "n"} <= set(cell)
    assert (cell["mean"], cell["n"], cell["floor"], cell["ceiling"]) == (9, 2, 1, 12)
    assert mine["measures"]["survival_rate"]["mean"] == 0.5
    assert mine["measures"]["gain"]["reference"] == 120
    assert {"measure": "gain", "side": "reference", "value": 120.0, "label": "reference", "why": "all share"} in mine["oracles"]


def test_failed_matches_count_as_worst_and_as_best():
    study = tables((fishery(), [lasting(12)] * 3 + [failing()] * 2))
    cells = statistics.summary(study)["arms"][0]["measures"]
    ends = lambda name: [cells[name]["worst"], cells[name]["best"]]
    assert ends("survival_rate") == [0.6, 1]
    assert ends("survival_time") == pytest.approx([(36 + 2 * 1) / 5, 12])
    assert ends("gain") == pytest.approx([3 * 132 / 5, (3 * 132 + 2 * 130) / 5])  # a proved bound on both sides
    assert ends("cooperation") == pytest.approx([0.3, 0.7])  # by definition a share
    assert ends("over_usage") == pytest.approx([0.7, 0.3])  # the most is the worst
    assert ends("welfare_sum") == [None, None]  # nothing bounds it
    assert ends("equality")[0] is None


def test_best_known_is_no_bound():
    known = [("gain", "floor", 0.0, "reference", "the worst that we found"), ("gain", "ceiling", 20.0, "bound", "all give")]
    study = tables((arm(oracles=known), [match([[10, 10]]), failing()]))
    cell = statistics.summary(study)["arms"][0]["measures"]["gain"]
    assert (cell["worst"], cell["best"], cell["floor"]) == (None, 15, 0)


def test_without_failures_there_is_nothing_to_bound():
    cells = statistics.summary(tables((fishery(), [lasting(3)])))["arms"][0]["measures"]
    assert not any("worst" in cell for cell in cells.values())


def test_with_no_finished_match_a_measure_is_null():
    (mine,) = statistics.summary(tables((fishery(), [failing()] * 3)))["arms"]
    assert (mine["matches"], mine["failed"]) == (3, 3)
    cell = mine["measures"]["survival_rate"]
    assert [cell[key] for key in ("mean", "low", "high", "n", "worst", "best")] == [None, None, None, 0, 0, 1]


def test_an_arm_without_matches_is_still_listed():
    (mine,) = statistics.summary(tables((fishery(), [])))["arms"]
    assert mine["matches"] == 0
    assert mine["measures"]["gain"]["mean"] is None
    assert statistics.summary(tables()) == {"arms": []}


def test_causes_are_counted_the_most_frequent_first():
    retired = lasting(12, where="agent", cause="seat 2 retired")
    study = tables((fishery(), [failing("a"), failing("b"), failing("b"), lasting(1, status="paused", cause="budget"), retired]))
    (mine,) = statistics.summary(study)["arms"]
    assert mine["retired"] == 1
    assert mine["causes"][0] == {"status": "failed", "where": "agent", "cause": "b", "matches": 2}
    assert {c["cause"] for c in mine["causes"]} == {"a", "b", "budget", "seat 2 retired"}


def test_one_repeat_has_a_mean_and_no_interval():
    cell = statistics.summary(tables((fishery(), [lasting(5)])))["arms"][0]["measures"]["survival_time"]
    assert [cell[key] for key in ("mean", "low", "high", "n")] == [5, None, None, 1]


def test_arms_are_compared_repeat_by_repeat():
    a = (fishery("a"), [lasting(3), lasting(7), lasting(11), failing()])
    b = (fishery("b"), [lasting(4), lasting(8), lasting(12), lasting(1)])
    out = statistics.compare(tables(a, b), 0, 1)
    assert (out["a"]["name"], out["b"]["name"], out["paired"]) == ("a", "b", True)
    cell = out["measures"]["survival_time"]
    assert [cell[key] for key in ("mean", "low", "high", "n")] == [1, 1, 1, 3]  # the failed repeat has no pair
    assert cell["worst"] == pytest.approx(25 / 4 - (21 + 12) / 4)
    assert cell["best"] == pytest.approx(25 / 4 - (21 + 1) / 4)


def test_a_rate_is_compared_by_pairs_too():
    doomed, saved = [lasting(2, ended=True)] * 20, [lasting(12)] * 20
    cell = statistics.compare(tables((fishery(), doomed), (fishery(), saved)), 0, 1)["measures"]["survival_rate"]
    assert cell["mean"] == 1
    assert 0.7 < cell["low"] < cell["high"] <= 1


def test_a_comparison_that_tells_nothing_says_how_many_repeats_would():
    a = [lasting(n) for n in (1, 5, 3, 9, 2, 8, 4, 6)]
    b = [lasting(n) for n in (3, 1, 6, 9, 5, 2, 8, 5)]
    out = statistics.compare(tables((fishery(), a), (fishery(), b)), 0, 1)["measures"]["survival_time"]
    assert out["low"] <= 0 <= out["high"]
    assert out["needed"] > 8


def test_other_seeds_are_not_paired():
    study = tables((fishery(), [lasting(n) for n in (3, 5, 7, 5, 4)]), (fishery(seed=2), [lasting(n) for n in (4, 6, 8, 6, 5)]))
    out = statistics.compare(study, 0, 1)
    assert out["paired"] is False
    cell = out["measures"]["survival_time"]
    assert cell["mean"] == pytest.approx(1)
    assert cell["low"] < 0 < cell["high"]


def test_only_measures_that_both_arms_have_are_compared():
    study = tables((fishery(), fish(lambda t, s, rng: [10] * 5, 2)), (arm(game="dilemma"), [match([[3, 3]]), match([[1, 1]])]))
    shared = statistics.compare(study, 0, 1)["measures"]
    assert "gain" in shared
    assert "over_usage" not in shared
    assert "efficiency" not in shared


def test_points_of_different_games_are_not_subtracted():
    study = tables((arm(game="dilemma(rounds=2)"), [match([[3, 3]])] * 3), (arm(game="market"), [match([[90, 80]])] * 3))
    out = statistics.compare(study, 0, 1)["measures"]
    assert {name for name, cell in out.items() if "note" in cell} >= {"gain", "survival_time", "welfare_sum"}
    assert out["gain"] == {
        "mean": None, "low": None, "high": None, "n": 3, "unit": "points", "note": "not comparable, dilemma and market are different games",
    }  # fmt: skip
    assert out["survival_rate"]["mean"] == 0  # a rate is one in any game


def test_one_game_with_other_rules_is_still_compared():
    study = tables((arm(game="dilemma(rounds=2)"), [match([[3, 3]])] * 3), (arm(game="dilemma"), [match([[4, 3]])] * 3))
    assert statistics.compare(study, 0, 1)["measures"]["gain"]["mean"] == 0.5


def test_an_arm_that_is_not_there():
    with pytest.raises(SpecError, match="no arm 7; this study has the arms 0, 1"):
        statistics.compare(tables((fishery(), []), (fishery(), [])), 0, 7)


def test_the_same_log_gives_the_same_numbers():
    study = tables((fishery(), fish(lambda t, s, rng: rng.integers(0, 25, 5), 40)))
    assert json.dumps(statistics.summary(study)) == json.dumps(statistics.summary(study))
    shuffled = study._replace(moves=study.moves.sample(fraction=1, shuffle=True, seed=3))
    ours, theirs = (statistics.summary(each)["arms"][0]["measures"]["equality"] for each in (study, shuffled))
    assert ours == {key: pytest.approx(value) if isinstance(value, float) else value for key, value in theirs.items()}
