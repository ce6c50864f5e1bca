"""The table for the terminal, the figures and the HTML report."""

import re
import subprocess
import sys
from html import unescape
from xml.etree import ElementTree

import matplotlib
import numpy as np
import pytest
from rich.console import Console
from studied import arm, fish, fishery, match, tables

from commonage.games.market import Market
from commonage.measure import figures, names, page, report, statistics, style, words
from commonage.measure.contract import Played


def share(t, s, rng):
    return [s // 2 // 5] * 5


def cheat(t, s, rng):
    return [s // 2 // 5] * 4 + [int(rng.integers(5, 26))]


@pytest.fixture(scope="module")
def lakes():
    """Two arms, one of which has failures."""
    failed = [match([[1] * 5], status="failed", where="agent", cause="seat 2: no <legal> move")] * 3
    sustained = (fishery("five who sustain"), fish(share, 20))
    return tables(sustained, (fishery("four and a cheat", seats="sustainer*4,cheat"), fish(cheat, 60) + failed))


def printed(thing, width=120):
    console = Console(width=width, file=None, record=True, force_terminal=False)
    with console.capture() as capture:
        console.print(thing)
    return capture.get()


def test_the_table_says_who_sits_there_and_what_came_of_it(lakes):
    text = printed(report.table(statistics.summary(lakes)))
    lines = [" ".join(line.split()) for line in text.splitlines()]
    assert any(re.match(r"five who sustain 100 % \[84, 100\] 12\.0 120", line) for line in lines)
    assert any(re.match(r"floor 1\.0 0", line) for line in lines)
    assert any(re.match(r"reference 120", line) for line in lines)
    assert "reference of gain: all share" in lines
    assert any(re.match(r"ceiling 12\.0 130", line) for line in lines)
    assert re.search(r"failed: \d+ to \d+ %", text)


@pytest.mark.parametrize("width", [60, 80, 100, 140])
def test_the_table_fits(lakes, width):
    lines = printed(report.table(statistics.summary(lakes), width=width), width).splitlines()
    assert max(map(len, lines)) <= width
    assert not any("…" in line for line in lines)
    assert "cooperation" in " ".join(lines)


@pytest.mark.parametrize("width", [60, 80, 400])
def test_every_measure_is_shown_or_named(lakes, width):
    summary = statistics.summary(lakes)
    text = " ".join(printed(report.table(summary, width=width), width).split())
    assert all(words.title(name) in text for name in report.headline(summary))
    assert ("more: " in text) == (width < 400)


def test_cooperation_is_shown_beside_long_names():
    long = fishery("", seats="sustainer+fine_overusers*4,cheat(wary=2)", around=["punish(fine=1)", "talk(when=after,order=floor)"])
    text = printed(report.table(statistics.summary(tables((long, fish(cheat, 5)))), width=80), 80)
    head, named = text.split("more: ")
    assert "cooperation" in head
    assert "cooperation" not in named
    assert "cheat(wary=2)" in head  # folded, not shortened


def test_mechanisms_and_games_get_a_column_where_they_differ():
    played = [match([[3, 1]])]
    study = tables((arm("", "dilemma", "a,b"), played), (arm("", "donor", "c*2", ["punish(fine=3)"]), played))
    text = printed(report.table(statistics.summary(study)))
    assert all(word in text for word in ("game", "dilemma", "donor", "punish(fine=3)", "a,b"))


def test_floors_that_differ_stand_beside_each_score():
    first, second = ([("gain", "ceiling", value, "bound", "")] for value in (10.0, 99.0))
    study = tables((arm("x", oracles=first), [match([[3, 1]])]), (arm("y", oracles=second), [match([[3, 1]])]))
    text = printed(report.table(statistics.summary(study)))
    assert "ceiling 10" in text
    assert "ceiling 99" in text


def test_a_bound_that_only_some_arms_have_stands_beside_their_score():
    ends = [("survival_time", "ceiling", 12.0, "bound", "the horizon")]
    endless = (arm(game="market", seats="cartel*2"), [match([[1, 1]] * 20)])
    study = tables((arm(oracles=ends), [match([[3, 1]] * 12)]), endless)
    lines = [line.split() for line in printed(report.table(statistics.summary(study))).splitlines()]
    assert lines[lines.index(["ceiling", "12"]) - 1][:2] == ["commons", "sustainer*5"]
    assert report.sides(statistics.summary(study), ["survival_time"]) == {}


def test_a_reference_is_named_for_the_play_that_it_is():
    known = [("gain", "reference", 10.0, "reference", "the one-round equilibrium")]
    one, other = arm("x", "market(rounds=2)", oracles=known), arm("y", "market", oracles=known)
    studied = statistics.summary(tables((one, [match([[3, 1]])]), (other, [match([[3, 1]])])))
    assert report.references(studied, ["gain"]) == ["reference of gain: the one-round equilibrium"]
    assert report.references(studied, ["cooperation"]) == []
    mixed = statistics.summary(tables((one, [match([[3, 1]])]), (arm("z", "dilemma"), [match([[3, 1]])])))
    assert report.references(mixed, ["gain"]) == ["reference of gain in market: the one-round equilibrium"]
    assert "the one-round equilibrium" in report.report(tables((one, [match([[3, 1]])]))).split("All measures")[0]


def test_the_market_calls_nash_what_it_is():
    nash = [oracle for oracle in Market().oracles() if oracle.side == "reference"]
    assert {oracle.measure: oracle.value for oracle in nash} == {"gain": 20 * 512, "welfare_sum": 2 * 20 * 512}
    assert all("Nash" in oracle.why for oracle in nash)


def test_arms_in_which_a_seat_retired_are_marked_everywhere():
    lost = match([[1, 1], [1, 1]], [[1, 0], [1, None]], where="agent", cause="no number")
    study = tables((arm("shy"), [lost, match([[1, 1]], [[1, 1]])]), (arm("bold"), [match([[1, 1]], [[1, 1]])] * 2))
    summary = statistics.summary(study)
    assert [each["retired"] for each in summary["arms"]] == [1, 0]
    assert summary["arms"][0]["measures"]["cooperation"]["mean"] == pytest.approx(
        (2 / 3 + 1) / 2
    )  # what it no longer does counts as nothing
    assert printed(report.table(summary)).count("a seat retired in 1 of 2") == 1
    assert "shy: in 1 match a seat retired and the others went on (agent: no number)." in report.notes(summary)
    assert report.frame(summary).filter(measure="cooperation")["retired"].to_list() == [1, 0]
    html = report.report(study)
    assert "shy (retired: 1)" in html
    assert "a seat retired in 1 of 2" in html
    assert "bold (retired" not in html


def test_notes_count_and_bound_the_failures(lakes):
    first, second = report.notes(statistics.summary(lakes))
    assert first == "83 matches, 3 failed."
    assert second.startswith(
        "four and a cheat: 3 of 63 failed (agent: seat 2: no <legal> move). Had they been the worst or the best possible"
    )
    assert re.search(r"survival rate \d+ to \d+ %", second)


def test_survival_is_told_only_where_something_can_end():
    summary = statistics.summary(tables((arm(game="dilemma"), [match([[3, 3]], [[1, 1]])])))
    assert report.headline(summary) == ["gain", "cooperation", "equality"]


def test_a_frame_has_a_row_per_arm_and_measure(lakes):
    frame = report.frame(statistics.summary(lakes))
    gains = frame.filter(measure="gain")
    assert gains["mean"].to_list()[0] == 120
    assert gains["ceiling"].to_list() == [130, 130]
    assert gains["failed"].to_list() == [0, 3]


def test_differences_as_a_table(lakes):
    text = printed(report.differences(statistics.compare(lakes, 0, 1)))
    assert "four and a cheat, less five who sustain" in text
    assert re.search(r"survival rate\s+-\d+ \[-\d+, -\d+\]\s+percentage points\s+20", text)
    assert "not comparable" not in text


def test_what_different_games_do_not_share_is_named_once():
    played = [match([[3, 1]] * 2, [[1, 1]] * 2)] * 5
    study = tables((arm("x", "dilemma(rounds=2)"), played), (arm("y", "market"), played))
    text = " ".join(printed(report.differences(statistics.compare(study, 0, 1))).split())
    shown, left = text.split("not comparable, dilemma and market are different games: ")
    assert "cooperation" in shown
    assert "gain" not in shown
    assert left == "gain, survival time, welfare mean, welfare min, welfare sum"
    assert "not comparable, dilemma and market are different games" in report.report(study, pairs=[(0, 1)])


@pytest.mark.parametrize(
    ("cell", "said"),
    [
        ((0.04, 0.02, 0.08, "share"), "4 % [2, 8]"),
        ((7.25, 6.94, 7.58, "rounds"), "7.2 [6.9, 7.6]"),
        ((59.2, 56.4, 61.1, "points"), "59 [56, 61]"),
        ((30720.0, 30000.0, 31000.0, "points"), "30,720 [30,000, 31,000]"),
        ((0.9667, 0.96665, 0.96675, "share"), "96.7 %"),
        ((12.0, 12.0, 12.0, "rounds"), "12"),
        ((16.6667, 16.6667, 16.6667, "points"), "16.7"),
        ((-0.001, -0.4, 0.4, "points"), "0.0 [-0.4, 0.4]"),
        ((None, None, None, "share"), "-"),
        ((3.5, None, None, "points"), "3.50"),
    ],
)
def test_numbers_have_the_digits_that_their_interval_bears(cell, said):
    cell = dict(zip(("mean", "low", "high", "unit"), cell, strict=True))
    places = words.places([cell])
    assert f"{words.number(cell['mean'], cell['unit'], places)} {words.limits(cell, places)}".strip() == said


def test_long_names_keep_both_ends():
    assert words.either([1, 1], "repeat") == "1 repeat"
    assert words.either([100, 20, 20], "repeat") == "20 or 100 repeats"
    assert words.short("sustainer*4,cheat with punish(fine=3)", 20) == "sustainer*4…(fine=3)"
    assert words.short("short", 20) == "short"


def test_the_page_needs_nothing_else(lakes):
    html = report.report(lakes, "A <title> & more", "commonage play commons", "Who ruins the lake?")
    assert "<script" not in html
    assert not re.search(r"""(src|href)\s*=\s*["'](?!#)""", html.replace("xlink:href", "href"))
    assert set(re.findall(r"https?://[^\"' ]+", html)) <= {"http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"}
    assert "@import" not in html
    assert not re.search(r"url\((?!#)", html)
    for said in (
        "A &lt;title&gt; &amp; more",
        "Who ruins the lake?",
        "commonage play commons",
        "seat 2: no &lt;legal&gt; move",
        "floor",
        "failed: ",
    ):
        assert said in html
    assert "prefers-color-scheme: dark" in html
    assert 'seats = "sustainer*4,cheat"' in unescape(html)


def test_the_page_is_well_formed_and_the_same_each_time(lakes):
    html = report.report(lakes, "x")
    ElementTree.fromstring(re.sub(r"<(meta[^>]*|br|wbr)>", "", html.split("\n", 1)[1]).replace("&nbsp;", " "))
    ids = re.findall(r' id="([^"]*)"', html)
    assert len(ids) == len(set(ids))
    assert report.report(lakes, "x") == html


def test_figures_take_their_colours_from_the_page(lakes):
    svg = figures.lake(lakes)
    ElementTree.fromstring(svg)
    drawn = set(re.findall(r"(?:fill|stroke): ([^;\"]+)", svg))
    assert all(color == "none" or re.fullmatch(r"var\(--\w+\)", color) for color in drawn), drawn
    assert "five who sustain</text>" in svg  # text is text
    assert re.search(r'aria-label="Share of lakes alive in the end: five who sustain 100%; four and a cheat \d+%"', svg)
    assert "DejaVu" not in svg


def test_drawing_leaves_matplotlib_as_it_was(lakes):
    before = dict(matplotlib.rcParams)
    figures.lake(lakes)
    report.report(lakes)
    assert dict(matplotlib.rcParams) == before
    code = "import sys; from commonage.measure import figures; assert 'matplotlib.pyplot' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_curves_hold_what_the_steps_say(lakes):
    names = {0: "a", 1: "b"}
    alive = figures.alive(Played.of(lakes), names)
    assert alive[0].y.tolist() == [1.0] * 13
    assert alive[1].y[0] == 1
    assert (np.diff(alive[1].y) <= 0).all()
    deeds = figures.by_round(Played.of(lakes), names, "cooperation")
    assert deeds[0].y.tolist() == [1.0] * 12
    assert deeds[1].x[0] == 1
    stock = figures.by_round(Played.of(lakes), names, "stock")
    assert stock[0].y.tolist() == [100.0] * 12


@pytest.mark.parametrize(
    "study",
    [
        tables(),
        tables((fishery("nothing yet"), [])),
        tables((fishery("all failed"), [match([[1] * 5], status="failed", where="agent", cause="x")] * 3)),
        tables((fishery("once"), fish(cheat, 1))),
        tables((fishery("some"), fish(cheat, 5)), (fishery("none"), [match([[1] * 5], status="paused", cause="budget")])),
        tables((arm("$x_1$ <b>", "dilemma", "a,b"), [match([[3, 3]] * 3, [[1, 0]] * 3)] * 2)),
    ],
    ids=["no arms", "no matches", "all failed", "one repeat", "an arm without matches", "odd names"],
)
def test_a_study_of_any_state_has_a_report(study):
    assert report.report(study, "x").endswith("</html>\n")
    summary = statistics.summary(study)
    printed(report.table(summary))
    assert report.notes(summary)
    if study.arms and study.arms[0]["spec"]["game"] == "commons":
        ElementTree.fromstring(figures.lake(study))


def test_many_arms_are_listed_and_the_first_are_drawn():
    study = tables(*((fishery(f"arm {i}"), fish(cheat, 2, seed=i)) for i in range(30)))
    html = report.report(study)
    assert f"Lines are drawn for the first {page.LINES} arms, dots for the first {page.MOST}." in html
    assert html.count("arm 29") >= 2


def test_an_arm_is_compared_with_the_earlier_one_most_like_it():
    seats = ("random*5", "sustainer*4,cheat", "sustainer*4,greedy")
    specs = [{"game": "commons", "with": [], "seats": each} for each in seats]
    specs.append({"game": "commons(capacity=50)", "with": ["punish"], "seats": "sustainer*4,cheat"})
    specs.append({"game": "donor", "with": ["punish"], "seats": "sustainer*4,cheat"})
    arms = [{"arm": i, "name": "", "spec": spec} for i, spec in enumerate(specs)]
    assert report.alike(arms) == [(0, 1), (1, 2), (1, 3)]


def grid(*cells):
    return [
        {"arm": i, "name": "", "spec": {"game": "commons", "with": list(around), "seats": seats}}
        for i, (seats, *around) in enumerate(cells)
    ]


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        ([("a+b*4,c(x=2)",), ("a+b*4,c",)], ["c(x=2)", "c"]),
        ([("a*4,c",), ("a*4,c", "punish"), ("a*5", "punish")], ["c, no mechanism", "c, punish", "a, punish"]),
        ([("a*2", "noise", "punish(fine=1)"), ("a*2", "noise", "punish")], ["punish(fine=1)", "punish"]),
        ([("a,b",), ("b,a",)], ["a,b", "b,a"]),  # nothing tells them apart but the order
        ([("a,b", "punish")], ["a,b with punish"]),
        ([("<object>",), ("a",)], ["<object>", "a"]),
    ],
)  # fmt: skip
def test_arms_are_labelled_by_what_differs(cells, said):
    assert names.labels(grid(*cells)) == said


def test_names_that_were_given_are_kept():
    first, second = grid(("a*4,c",), ("a*4,d",))
    assert names.labels([{**first, "name": "mine"}, second]) == ["mine", "a*4,d"]


def test_figures_and_rows_have_the_labels():
    seats = ["sustainer+fine_overusers*4,cheat(wary=2)", "sustainer+fine_overusers*4,cheat"]
    html = report.report(tables(*((fishery("", seats=each), fish(cheat, 3)) for each in seats)))
    assert len(re.findall(r">cheat\(wary=2\)</text>", html)) >= 5
    assert "sustainer+fine_…" not in html


def test_a_wide_table_scrolls_in_its_own_box(lakes):
    html = report.report(lakes)
    assert html.count("<table>") == html.count('<div class="scroll" tabindex="0"><table>')
    listed = html.split("<thead>")[1].split("</thead>")[0]
    assert all(words.title(name) in listed for name in report.headline(statistics.summary(lakes)))


@pytest.mark.parametrize(
    ("value", "unit", "ends"),
    [(1.0, "share", (0, 1)), (0.3, "share", (0, 1)), (448.0, "points", (0, 448)), (-5.0, "points", (-5, 0)), (0.0, "", (0, 1))],
)
def test_one_value_alone_has_an_axis_from_zero(value, unit, ends):
    cell = {"mean": value, "low": None, "high": None, "unit": unit}
    row = figures.Row("x", "arm0", cell, np.array([value]))
    assert figures._range([row], []) == pytest.approx(ends, abs=0.03 * max(1, abs(value)))


def test_a_line_that_never_moves_has_an_axis_from_zero():
    low, high = figures._nice((94.5, 105.5), [np.full(12, 100.0)])
    assert low == 0
    assert high > 100
    assert figures._nice((94.5, 105.5), [np.linspace(95, 105, 12)])[0] > 90


def _light(color):
    channels = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return float(np.dot([0.2126, 0.7152, 0.0722], linear))


@pytest.mark.parametrize("name", [name for name in style.COLORS if name.startswith("arm") or name in ("ink", "muted")])
@pytest.mark.parametrize("mode", [0, 1])
def test_colours_can_be_read_on_their_paper(name, mode):
    """WCAG 2.1: at least 3:1 for figures and large text, 4.5:1 for text."""
    paper, ink = sorted((_light(style.COLORS["paper"][mode]), _light(style.COLORS[name][mode])))
    assert (ink + 0.05) / (paper + 0.05) >= (3.5 if name.startswith("arm") else 4.5)


def test_the_study_of_a_report_runs_again(lakes):
    import tomllib

    study = tomllib.loads(page.toml(lakes.arms))
    assert study["seed"] == 1
    assert [each["seats"] for each in study["arm"]] == ["sustainer*5", "sustainer*4,cheat"]
    assert study["arm"][1]["name"] == "four and a cheat"
