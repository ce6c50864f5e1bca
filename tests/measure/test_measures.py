"""Each measure on matches whose numbers can be computed by hand."""

import subprocess
import sys
import time

import numpy as np
import polars as pl
import pytest
from studied import Match, Tables, arm, fish, fishery, match, tables

from commonage import Arm, Study
from commonage.agents.scripted import Scripted
from commonage.errors import SpecError
from commonage.find import find, parts
from commonage.measure import statistics
from commonage.measure.contract import Measure


def values(study, name):
    """[value of each finished match, or None], in order; measures see what `summary` shows them."""
    found = statistics.evaluate(study, statistics.measures_of([name]))
    return [value for number in range(len(study.arms)) for value in found.get((name, number), pl.DataFrame({"value": []}))["value"]]


def one(header, *played, name):
    return values(tables((header, list(played))), name)


# every agent: q %, m, gain per agent, u %, e %, o %; specs/commons.md
REFERENCE = {
    "harvests 0": (lambda t, s, rng: [0] * 5, 1, (100, 12, 0, 0, None, 0)),
    "5": (lambda t, s, rng: [5] * 5, 1, (100, 12, 60, 50, 100, 0)),
    "10": (lambda t, s, rng: [10] * 5, 1, (100, 12, 120, 100, 100, 0)),
    "equal share": (lambda t, s, rng: [s // 2 // 5] * 5, 1, (100, 12, 120, 100, 100, 0)),
    "12": (lambda t, s, rng: [12] * 5, 500, (0, 3, 32, 26.7, 96.2, 97.7)),
    "20": (lambda t, s, rng: [20] * 5, 1, (0, 1, 20, 16.67, 100, 100)),
    "share, then everything": (lambda t, s, rng: [s if t == 11 else 10] * 5, 200, (0, 12, 130, 100, 98.5, 8.3)),
    "four share, one takes 15": (lambda t, s, rng: [s // 2 // 5] * 4 + [15], 20, (0, 7, 55.2, 46.0, 82.3, 20)),
    "uniform": (lambda t, s, rng: rng.integers(0, s + 1, 5), 2000, (0, 1, 20, 16.7, 82.5, 89.1)),
}


@pytest.mark.parametrize("row", REFERENCE)
def test_reference_rows_of_the_commons(row):
    wants, repeats, expected = REFERENCE[row]
    study = tables((fishery(), fish(wants, repeats)))
    names = ("survival_rate", "survival_time", "gain", "efficiency", "equality", "over_usage")
    cells = statistics.summary(study, names)["arms"][0]["measures"]
    for name, scale, number in zip(names, (100, 1, 1, 100, 100, 100), expected, strict=True):
        mean = cells[name]["mean"]
        assert mean is None if number is None else mean * scale == pytest.approx(number, abs=0.5), name


def test_a_collapse_in_the_last_month_lasts_as_long_as_none():
    study = tables((fishery(), [match([[1]] * 12, ended=True), match([[1]] * 12)]))
    assert values(study, "survival_time") == [12, 12]
    assert values(study, "survival_rate") == [0, 1]


def test_gain_puts_back_what_mechanisms_took_and_moved():
    # the game gives 10 and 4; then the first pays 1 to fine the second 3, and a contract moves 2 from the second to the first
    steps = [{"round": 1}, {"round": 1}]
    moves = [
        [{"reward": 10 + 2, "contract.moved": 2}, {"reward": 4 - 2, "contract.moved": -2}],
        [{"reward": -1, "punish.spent": 1}, {"reward": -3, "punish.fined": 3}],
    ]
    study = tables((arm(), [Match(steps, moves)]))
    assert values(study, "gain") == [7]
    assert values(study, "welfare_sum") == [12 - 1 + 2 - 3]
    assert values(study, "welfare_mean") == [5]
    assert values(study, "welfare_min") == [-1]


def test_an_arm_without_mechanisms_beside_one_with_them_keeps_its_gain():
    fined = Match([{"round": 1}], [[{"reward": 1, "punish.fined": 3}]])
    assert values(tables((arm(), [match([[5]])]), (arm(), [fined])), "gain") == [5, 4]


@pytest.mark.parametrize(
    ("earned", "expected"),
    [([1, 2, 3], 1 - 8 / 36), ([6, 0, 0], 1 / 3), ([4, 4, 4], 1), ([0, 0, 0], None), ([-1, 0, 0], None), ([3, -1], 0)],
)
def test_equality_is_one_less_the_gini_coefficient(earned, expected):
    (found,) = one(arm(), match([earned]), name="equality")
    assert found == (None if expected is None else pytest.approx(expected))


def test_efficiency_is_clamped_and_needs_a_positive_yardstick():
    played = [match([[300, 300]]), match([[400, 400]]), match([[-5, 1]]), match([[150, 150]])]
    assert one(arm(yardsticks={"welfare": 600.0}), *played, name="efficiency") == [1, 1, 0, 0.5]
    assert one(arm(yardsticks={"welfare": 0.0}), *played, name="efficiency") == [None] * 4
    assert one(arm(), *played, name="efficiency") == []  # it does not apply


def test_over_usage_counts_harvests_not_the_steps_in_which_mechanisms_act():
    harvest = [{"reward": 12, "deed": 0, "caught": 12}, {"reward": 5, "deed": 1, "caught": 5}]
    fine = [{"reward": 0, "caught": 12}, {"reward": 0, "caught": 5}]
    steps = [{"round": 1, "threshold": 10}, {"round": 1, "threshold": 10}]
    assert one(arm(), Match(steps, [harvest, fine]), name="over_usage") == [0.5]
    assert one(arm(), match([[1, 2]]), name="over_usage") == []


def test_a_retired_seat_has_no_conduct_but_its_earnings_count():
    rows = match(
        [[12, 10], [0, 10]], [[0, 1], [None, 1]], {"caught": [[12, 10], [0, 10]]}, {"threshold": [10, 10]}, where="agent", cause="x"
    )
    assert one(fishery(), rows, name="over_usage") == [pytest.approx(1 / 3)]
    assert one(fishery(), rows, name="cooperation") == [pytest.approx(2 / 3)]
    assert one(fishery(), rows, name="gain") == [16]


def test_cooperation_is_the_mean_of_all_deeds():
    played = [match([[0, 0], [0, 0]], [[1, 0], [0.5, None]]), match([[0, 0]], [[float("nan"), None]])]
    assert one(arm(), *played, name="cooperation") == [0.5, None]


def test_log_holdings_turn_factors_into_differences():
    logs = one(arm(), match([[0, 0]] * 2, facts={"holdings": [[10, 20], [1, np.e**2]]}), name="log_holdings")
    assert logs == pytest.approx([1.0])
    assert one(arm(), match([[0, 0]], facts={"holdings": [[0, 1]]}), name="log_holdings") == pytest.approx([np.log(0.01) / 2])


def test_final_holdings_are_those_after_the_last_step():
    assert one(arm(), match([[0, 0]] * 2, facts={"holdings": [[10, 20], [7, 50]]}), name="final_holdings") == [28.5]
    assert one(arm(), match([[0, 0]]), name="final_holdings") == []


def test_accuracy_is_whether_the_last_answer_was_right():
    played = [match([[0]] * 2, table={"right": right}) for right in ([0, 1], [1, 0], [-1, -1])]
    assert one(arm(), *played, name="accuracy") == [1, 0, None]
    assert one(arm(), match([[1]]), name="accuracy") == []


MARKET = {"nash_profit": 100.0, "monopoly_profit": 150.0, "nash_surplus": 80.0}


@pytest.mark.parametrize(("profit", "index"), [(50, 0), (75, 1), (60, 0.4), (40, -0.4)])
def test_collusion_index_is_0_at_nash_and_1_at_monopoly(profit, index):
    played = match([[profit, profit]] * 3)
    assert one(arm(yardsticks=MARKET), played, name="collusion_index") == [pytest.approx(index)]
    assert one(arm(), played, name="collusion_index") == []


def test_consumer_harm_is_the_surplus_lost_per_round_as_each_round_left_it():
    # talk comes first in each round, when the fact is still that of the last one
    steps = [{"round": 1, "surplus": 0}, {"round": 1, "surplus": 60}, {"round": 2, "surplus": 60}, {"round": 2, "surplus": 70}]
    talked = Match(steps, [[{"reward": 0}]] * 4)
    assert one(arm(yardsticks=MARKET), talked, name="consumer_harm") == [15]


def test_norm_similarity_is_the_mean_difference_of_proposals():
    """Proposals 10, 20, 60 of 0..100 differ by 10, 50 and 40; in the second round two of them by 20, and one never proposed."""
    header = arm("norms", "pool", questions=[{"name": "effort", "amount": [0, 100]}])
    proposed = {"norm.proposed": [[10, 20, 60], [30, 50, -1]]}
    alone = match([[1] * 3], [[1] * 3], {"norm.proposed": [[-1, 5, -1]]})
    same, undefined = values(tables((header, [match([[1] * 3] * 2, [[1] * 3] * 2, proposed), alone])), "norm_similarity")
    assert same == pytest.approx((1 - 1 / 3 + 1 - 1 / 5) / 2)
    assert undefined is None


def test_only_finished_matches_count():
    played = [match([[8]]), match([[99]], status="failed"), match([[99]], status="paused"), match([[99]], status="open")]
    study = tables((fishery(), played))
    for name in ("gain", "survival_time", "welfare_sum"):
        assert len(values(study, name)) == 1


def test_a_measure_is_absent_where_it_does_not_apply_and_null_where_nothing_finished():
    lake, market = match([[1]], [[1]], {"caught": [[1]]}, {"threshold": [10]}, status="failed"), match([[1]])
    study = tables((fishery(), [lake]), (arm(yardsticks=MARKET), [market]))
    first, second = (a["measures"] for a in statistics.summary(study)["arms"])
    assert {"gain", "over_usage", "efficiency", "survival_rate"} <= set(first)
    assert all(cell["mean"] is None and cell["n"] == 0 for cell in first.values())
    assert "collusion_index" not in first
    assert "over_usage" not in second
    assert second["collusion_index"]["n"] == 1


def test_the_header_may_say_which_facts_there_will_be():
    study = tables((fishery(facts=["caught", "threshold"]), [Match([], [], status="failed")]))
    assert statistics.summary(study)["arms"][0]["measures"]["over_usage"]["mean"] is None


def test_a_measure_of_your_own_is_a_file_with_one_class(tmp_path):
    (tmp_path / "greed.py").write_text(
        '"""The largest reward of a step."""\n'
        "import polars as pl\n"
        "from commonage.measure.contract import Measure\n\n\n"
        "class Greed(Measure):\n"
        '    """The largest reward that any seat got in one step."""\n\n'
        "    def each(self, tables):\n"
        '        return tables.moves.group_by("arm", "match").agg(value=pl.col("reward").max())\n'
    )
    study = tables((arm(), [match([[1, 7]]), match([[3, 2]]), match([[9, 9]], status="failed")]))
    cell = statistics.summary(study, [str(tmp_path / "greed.py")])["arms"][0]["measures"]["greed"]
    assert (cell["mean"], cell["n"]) == (5, 2)


class Wrong(Measure):
    def each(self, tables):
        return tables.matches.select("arm", "match", number=1)


class Twice(Measure):
    def each(self, tables):
        return tables.moves.select("arm", "match", value="reward")


def test_a_wrong_measure_is_told_what_it_must_give():
    study = tables((arm(), [match([[1, 2]])]))
    with pytest.raises(SpecError, match=r"measure wrong: each\(\) gave the columns arm, match, number; it must give arm, match, value"):
        statistics.summary(study, [Wrong()])
    with pytest.raises(SpecError, match="several rows for one match"):
        statistics.summary(study, [Twice()])


@pytest.mark.parametrize("name", parts("measures"))
def test_every_measure_says_what_it_is(name):
    entry, measure = parts("measures")[name], find("measures", name)()
    assert entry.line.endswith(".")
    assert measure.name == name
    assert measure.kind in ("mean", "rate")
    assert len(type(measure).__doc__) > 20


def test_measures_do_not_import_jax():
    code = "import sys; from commonage.measure import statistics, report, page; statistics.measures_of(); assert 'jax' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.slow
def test_six_million_rows_in_a_few_seconds():
    matches, months, seats = 100_000, 12, 5
    rng, rows = np.random.default_rng(0), matches * months * seats
    number = np.arange(matches, dtype=np.int32)
    many = pl.DataFrame({
        "arm": number // 20_000, "match": number, "repeat": number % 20_000, "status": ["finished"] * matches,
        "where": [None] * matches, "cause": [None] * matches, "rounds": np.int32(months), "ended": False,
    })  # fmt: skip
    step = np.arange(matches * months, dtype=np.int32)
    steps = pl.DataFrame({"arm": step // months // 20_000, "match": step // months, "step": step % months, "round": step % months + 1})
    row = np.arange(rows, dtype=np.int32)
    at = {"arm": row // (months * seats) // 20_000, "match": row // (months * seats), "step": row // seats % months}
    moves = pl.DataFrame({
        **at, "round": at["step"] + 1, "seat": row % seats, "reward": rng.integers(0, 20, rows).astype(np.float32),
        "deed": rng.integers(0, 2, rows).astype(np.float32), "caught": rng.integers(0, 20, rows).astype(np.int32),
    })  # fmt: skip
    headers = [{"arm": i, **fishery()} for i in range(5)]
    study = Tables(headers, many, steps.with_columns(threshold=pl.lit(10)), moves)
    start = time.perf_counter()
    statistics.summary(study)
    assert time.perf_counter() - start < 10  # 5 on an idle machine


def test_messages_are_what_was_said_of_all_that_could_be(tmp_path):
    """One signals in both rounds, the other says nothing, then something in words; whose table has no talk has no such number."""
    signals = Scripted("I will cooperate", "cooperate", "I will cooperate", "cooperate")
    speaks = Scripted("nothing", "defect", "in words: hello", "defect")
    mute = Scripted("nothing", "cooperate", "nothing", "cooperate")
    tables = [([signals, speaks], ["talk"]), ([mute, mute], ["talk"]), ("cooperator*2", [])]
    arms = [Arm("dilemma(rounds=2)", seats, around) for seats, around in tables]
    talked, silent, without = Study(arms=arms, repeats=1).run(tmp_path / "run").summary()["arms"]
    assert talked["measures"]["messages"]["mean"] == 3
    assert silent["measures"]["messages"]["mean"] == 0
    assert "messages" not in without["measures"]
