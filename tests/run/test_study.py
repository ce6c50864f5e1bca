"""A study: arms x repeats from Python and from TOML, in pairs, in chunks, resumable; and what is refused before anything runs."""

from __future__ import annotations

import asyncio
import itertools
import os
import signal
import sqlite3
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal
from scipy import stats
from table import COMMONS, DILEMMA, Calls, Illegal

from commonage import Arm, Study, find, seeds
from commonage.agent import Agent, Answer, View
from commonage.agents.scripted import Scripted
from commonage.errors import LogError, Pause, SpecError
from commonage.games.commons import Commons
from commonage.games.dilemma import Dilemma
from commonage.policies.cheat import Cheat
from commonage.policies.grim import Grim
from commonage.run import study as studies
from commonage.run.match import Outcome
from commonage.store import read
from commonage.store.log import Log

SEATS = "cheat(low=1,high=6)+fine_overusers(notice=0.5),sustainer+fine_overusers,random"
PUNISHED = ["punish"]


def tables(study: Study, folder: Path, **more: Any) -> read.Tables:
    return study.run(folder, **more).tables


# the Python API


def test_five_lines_of_python(tmp_path: Path) -> None:
    result = Study(COMMONS, SEATS, PUNISHED, repeats=8).run(tmp_path / "run")
    assert result.status == {"finished": 8}
    assert result.table().height > 5
    assert result.events().height > 50
    assert result.report(tmp_path / "page.html").read_text().startswith("<!doctype html>")
    summary = result.summary()["arms"][0]
    assert summary["matches"] == 8
    assert summary["spec"] == {"game": COMMONS, "with": ["punish"], "seats": SEATS}
    assert set(summary["measures"]["gain"]) >= {"mean", "low", "high", "n"}


def test_objects_and_texts_are_one_study(tmp_path: Path) -> None:
    text = Study("commons(seats=3,rounds=4,capacity=20)", "cheat(low=1),grim*2".replace("grim", "sustainer"), repeats=4)
    objects = Study(Commons(seats=3, rounds=4, capacity=20), [Cheat(low=1), "sustainer*2"], repeats=4)
    assert text.toml() == objects.toml()
    text.run(tmp_path / "text")
    objects.run(tmp_path / "objects")
    assert read.equal(tmp_path / "text", tmp_path / "objects") == []


def test_one_mechanism_need_not_be_a_list() -> None:
    assert Study(COMMONS, SEATS, "punish").built[0].game == Study(COMMONS, SEATS, ["punish"]).built[0].game
    assert Study(arms=[Arm(COMMONS, SEATS, "punish")]).built[0].spec["with"] == ["punish"]


def test_inside_a_running_loop(tmp_path: Path) -> None:
    """As in Jupyter: `run` blocks and works, `arun` is awaited; both give the same."""
    study = Study(DILEMMA, [Calls(lambda view: "cooperate"), "grim"], repeats=3)

    async def cell() -> None:
        study.run(tmp_path / "run")
        await study.arun(tmp_path / "arun")

    asyncio.run(cell())
    study.run(tmp_path / "plain")
    assert read.equal(tmp_path / "run", tmp_path / "arun") == []
    assert read.equal(tmp_path / "run", tmp_path / "plain") == []


def test_an_error_inside_a_running_loop_is_the_same_error(tmp_path: Path) -> None:
    async def cell() -> None:
        Study(DILEMMA, "grim*3").run(tmp_path / "run")

    with pytest.raises(SpecError, match="2 places"):
        asyncio.run(cell())
    assert not (tmp_path / "run").exists()


def test_interrupted_in_a_notebook_it_stops(tmp_path: Path) -> None:
    """The stop button raises KeyboardInterrupt in the main thread, which waits; nobody is asked after it, and the log is let go."""

    answered = itertools.count(1)

    def answer(view: View) -> Answer:
        if next(answered) == 5:
            os.kill(os.getpid(), signal.SIGINT)
        return Answer(0)

    agent = Calls(answer)
    study = Study(DILEMMA, [agent, "grim"], repeats=200)

    async def cell() -> None:
        study.run(tmp_path / "run")

    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # a worker of pytest-xdist ignores it
    loop = asyncio.new_event_loop()  # without the handlers of asyncio.run, as in Jupyter
    try:
        with pytest.raises(KeyboardInterrupt):
            loop.run_until_complete(cell())
    finally:
        loop.close()
        signal.signal(signal.SIGINT, before)
    asked = len(agent.views)
    assert 5 <= asked < 800
    agent.answer = lambda view: Answer(0)
    assert study.run(tmp_path / "run").status == {"finished": 200}
    assert len(agent.views) <= 800 + 100  # of those that were asked then and there no answer came


def test_progress_counts_matches(tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    arms = [Arm(DILEMMA, "grim*2"), Arm(DILEMMA, [Calls(lambda view: "defect"), "grim"])]
    Study(arms=arms, repeats=3).run(tmp_path / "run", lambda done, total: seen.append((done, total)))
    assert seen[-1] == (6, 6)
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)


# TOML


def test_saved_and_loaded_it_is_the_same_study(tmp_path: Path) -> None:
    arms = [
        Arm(DILEMMA, "grim,tit_for_tat", name='with "quotes", a \\ and\na new line'),
        Arm(COMMONS, SEATS, ['talk(signals=["I will, perhaps",no])', "punish(fine=2)"], sets={"cost": 2}),
        Arm("dilemma(payoffs=[4,0,3,2.5])", ["grim", 'vote(grim,"tit_for_tat*2")']),
    ]
    study = Study(arms=arms, repeats=3, seed=2**40, name="né", runner="mixed")
    study.save(tmp_path / "study.toml")
    loaded = Study.load(tmp_path / "study.toml")
    assert loaded.toml() == study.toml()
    assert [arm.game for arm in loaded.built] == [arm.game for arm in study.built]
    assert [arm.spec for arm in loaded.built] == [arm.spec for arm in study.built]
    assert (loaded.repeats, loaded.seed, loaded.name, loaded.runner) == (3, 2**40, "né", "mixed")


def toml(folder: Path, text: str) -> Study:
    (folder / "study.toml").write_text(text)
    return Study.load(folder / "study.toml")


def test_a_grid_is_every_combination(tmp_path: Path) -> None:
    study = toml(
        tmp_path,
        """
        repeats = 2
        [grid]
        game = "commons(seats=3)"
        with = [[], "punish", ["talk", "punish"]]
        seats = ["sustainer*3", "random*3"]
        set = { rounds = 4, capacity = 20 }
        """,
    )
    assert [(arm.spec["with"], arm.spec["seats"]) for arm in study.built] == [
        (with_, seats) for with_ in ([], ["punish"], ["talk", "punish"]) for seats in ("sustainer*3", "random*3")
    ]
    assert {arm.spec["game"] for arm in study.built} == {COMMONS}


def test_arms_and_a_grid(tmp_path: Path) -> None:
    study = toml(
        tmp_path,
        """
        [[arm]]
        name = "control"
        game = "dilemma"
        seats = ["grim", "random"]
        [grid]
        game = "dilemma"
        seats = "grim*2"
        set = [{ rounds = 3 }, { rounds = 4 }]
        """,
    )
    assert [arm.spec["game"] for arm in study.built] == ["dilemma", "dilemma(rounds=3)", "dilemma(rounds=4)"]
    assert study.built[0].name == "control"


def test_no_two_arms_have_one_name(tmp_path: Path) -> None:
    study = toml(tmp_path, '[grid]\ngame = ["dilemma", "dilemma(rounds=3)", "dilemma(rounds=4)"]\nseats = "grim*2"\n')
    assert [arm.name for arm in study.built] == ["grim*2", "grim*2 (2)", "grim*2 (3)"]
    study.save(tmp_path / "saved.toml")
    assert Study.load(tmp_path / "saved.toml").toml() == study.toml()


def test_streams_of_some_repeats_are_those_of_all() -> None:
    """Billions of repeats are drawn as they are played."""
    keys, orders = Study(COMMONS, SEATS, repeats=9).streams(Commons(seats=3))
    many = Study(COMMONS, SEATS, repeats=2_000_000_000)
    some = many.streams(Commons(seats=3), [7, 2])
    assert np.array_equal(some[0], keys[[7, 2]])
    assert np.array_equal(some[1], orders[[7, 2]])
    assert [keys.shape, orders.shape, some[0].shape] == [(9, 2), (9, 3), (2, 2)]
    compiled = studies._draw._cache_size()
    for count in range(1, 17):  # filled up to 16
        assert np.array_equal(Study(COMMONS, SEATS, repeats=count).streams(Commons(seats=3))[0][:9], keys[:count])
    assert studies._draw._cache_size() == compiled
    assert many.built[0].rows(2_000_000_000 // 1024)[1] == 2_000_000_000 % 1024


def test_an_arm_may_have_repeats_of_its_own(tmp_path: Path) -> None:
    """Their streams are those of the study; matches count on; what is compared is what both have."""
    study = Study(arms=[Arm(DILEMMA, "random*2", repeats=7), Arm(DILEMMA, "random*2"), Arm(DILEMMA, "random,grim", repeats=5)], repeats=3)
    assert [(arm.first, arm.matches) for arm in study.built] == [(1, 7), (8, 3), (11, 5)]
    study.save(tmp_path / "study.toml")
    again = Study.load(tmp_path / "study.toml")
    assert [arm.repeats for arm in again.built] == [7, 3, 5]
    result = again.run(tmp_path / "run")
    assert [arm["matches"] for arm in result.summary()["arms"]] == [7, 3, 5]
    assert result.planned == 15
    assert result.compare(0, 1)["measures"]["gain"] == {**result.compare(0, 1)["measures"]["gain"], "n": 3, "mean": 0}
    mixed = Study(arms=again.arms, repeats=3, runner="mixed").run(tmp_path / "mixed")
    assert mixed.summary()["arms"][2]["measures"]["gain"]["mean"] == result.summary()["arms"][2]["measures"]["gain"]["mean"]
    with pytest.raises(SpecError, match="repeats=0: a whole number, at least 1"):
        Study(arms=[Arm(DILEMMA, "random*2", repeats=0)]).built  # noqa: B018


def test_the_header_names_test_models_and_prompts() -> None:
    told, plain = (study.header(study.built[0]) for study in (Study(DILEMMA, "vote(grim,llm:fake),grim"), Study(DILEMMA, "grim*2")))
    assert (told["test_models"], len(told["prompts"])) == (["fake"], 16)
    assert plain["test_models"] == []
    assert "prompts" not in plain


# what is refused, before anything runs

ONE = '[[arm]]\ngame = "dilemma"\nseats = "grim*2"\n'


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('repeats = "20"\n' + ONE, "repeats='20'"),
        ("repeats = 2.5\n" + ONE, "whole number"),
        ("repeats = true\n" + ONE, "repeats=True"),
        ("repeats = 0\n" + ONE, "1 to"),
        ("repeats = 3_000_000_000\n" + ONE, "2,147,483,647"),
        ("seed = -1\n" + ONE, "seed=-1"),
        ('seed = "x"\n' + ONE, "seed='x'"),
        ('runner = "fast"\n' + ONE, "auto, mixed or compiled"),
        ('on_failure = "ignore"\n' + ONE, "end or retire"),
        ("name = 3\n" + ONE, "name=3"),
        ("repaets = 3\n" + ONE, "unknown 'repaets'; did you mean 'repeats'?"),
        ("arm = 5", r"[[arm]] tables"),
        ("arm = [5]", "not 5"),
        ("grid = 5", "one [grid]"),
        ("", "no [[arm]] and no [grid]"),
        ("[[arm", "study.toml"),
        ('[[arm]]\ngame = "dilemma"', "an arm has game, seats"),
        ('[[arm]]\ngame = 3\nseats = "grim*2"', "game=3"),
        ('[[arm]]\ngame = "dilemma"\nseats = 3', "'seats': 3"),
        (ONE + "with = 3", "'with': 3"),
        (ONE + "set = 3", "'set': 3"),
        (ONE + 'wiht = "punish"', "'wiht'"),
        (ONE + "set = { rouns = 3 }", "did you mean 'rounds'?"),
        ('[grid]\ngame = "dilemma"\nseats = "grim*2"\nwith = []', "with = [[]]"),
        ("repeat = 100\n" + ONE, "did you mean 'repeats'?"),
        (ONE + '[[arm]]\nname = "three"\ngame = "dilemma"\nseats = "grim*3"', "study.toml arm 2 (three): dilemma has 2 places"),
        ('[[arm]]\ngame = "dilemna"\nseats = "grim*2"', "did you mean 'dilemma'?"),
    ],
)
def test_a_study_file_that_is_wrong(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(SpecError) as raised:
        toml(tmp_path, text).built  # noqa: B018
    assert says in str(raised.value)


def test_a_study_file_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe")
    for path in (tmp_path / "none.toml", tmp_path, tmp_path / "binary.toml"):
        with pytest.raises(SpecError, match=path.name):
            Study.load(path)
    with pytest.raises(SpecError, match="cannot be written: No such file"):
        Study(DILEMMA, "grim*2").save(tmp_path / "none" / "study.toml")


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({}, "the name of a game"),
        ({"game": "dilemma"}, "seats=None"),
        ({"game": Dilemma, "seats": "grim*2"}, "a Game"),
        ({"game": "dilemma", "seats": [3, 4]}, r"seats=\[3, 4\]"),
        ({"game": "dilemma", "seats": []}, "2 places, the seat list names 0"),
        ({"game": "dilemma", "seats": "grim*3"}, "dilemma has 2 places, the seat list names 3"),
        ({"game": "commons", "seats": "sustainer*4"}, r"commons has 5 places, .* names 4 .*: commons\(seats=4\)"),
        ({"game": "dilemma", "seats": "sustainer*2"}, "sustainer plays commons"),
        ({"game": "dilemma", "seats": "human,grim", "runner": "compiled"}, "human,grim are not all policies"),
        ({"game": "dilemma", "seats": "grim*2", "on_failure": "retire"}, "dilemma cannot go on without a seat: use on_failure end"),
        ({"game": "ultimatum", "seats": "random*2", "on_failure": "retire", "mechanisms": "punish"}, "ultimatum cannot go on"),
    ],
)
def test_a_study_that_is_wrong(tmp_path: Path, given: dict[str, Any], says: str) -> None:
    with pytest.raises(SpecError, match=says):
        Study(**given).run(tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_another_study_in_the_same_folder(tmp_path: Path) -> None:
    Study(DILEMMA, "grim*2", repeats=2).run(tmp_path / "run")
    with pytest.raises(LogError, match=r"holds another study: .*repeats = 2.*repeats = 3.*--out"):
        Study(DILEMMA, "grim*2", repeats=3).run(tmp_path / "run")


# a mechanism that nobody uses


@pytest.mark.parametrize(("mechanism", "user"), [("talk", "pledger"), ("punish", "fine_overusers"), ("contract", "signer")])
def test_a_mechanism_that_no_seat_uses_draws_a_warning(tmp_path: Path, mechanism: str, user: str) -> None:
    with pytest.warns(UserWarning, match=f"{mechanism} is on, but no seat uses it: .* equals its control"):
        Study(DILEMMA, "grim*2", [mechanism], repeats=1).run(tmp_path / "run")
    for seats in (f"grim+{user},grim", [Calls(lambda view: view.options[0]), "grim"]):
        assert studies.arm.remarks(Study(DILEMMA, seats, [mechanism]).built) == []


def test_a_large_table_is_said_to_be_slow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(studies.arm, "MANY", 1)
    with pytest.warns(UserWarning, match="2 places: what a step computes grows with their square"):
        Study(DILEMMA, "grim*2", repeats=1).run(tmp_path / "run")


def test_noise_needs_nobody(tmp_path: Path) -> None:
    Study(DILEMMA, "grim*2", ["noise"], repeats=1).run(tmp_path / "run")


# permuted seats


def test_seats_are_permuted_over_repeats_and_the_log_says_how(tmp_path: Path) -> None:
    found = tables(Study(COMMONS, SEATS, PUNISHED, repeats=600), tmp_path / "run")
    orders = Counter(map(tuple, found.matches["order"].to_list()))
    assert len(orders) == 6
    assert stats.chisquare(list(orders.values())).pvalue > 1e-6
    places = found.moves.join(found.matches.select("match", "order"), on="match")
    assert (places.select(pl.col("order").list.get(pl.col("place")) == pl.col("seat")).to_series()).all()


def test_moves_follow_the_seat_wherever_it_sits(tmp_path: Path) -> None:
    found = tables(Study(COMMONS, "constant(amount=1),constant(amount=2),constant(amount=3)", repeats=30), tmp_path / "run")
    moved = found.moves.filter(pl.col("move") >= 0)
    assert (moved["move"] == moved["seat"] + 1).all()
    assert moved["place"].n_unique() == 3
    rewards = found.moves.group_by("seat").agg(pl.col("reward").mean()).sort("seat")["reward"].to_list()
    assert rewards == [1, 2, 3]


def test_roles_are_not_permuted(tmp_path: Path) -> None:
    found = tables(Study("ultimatum(rounds=2)", "random*2", repeats=50), tmp_path / "run")
    assert set(map(tuple, found.matches["order"].to_list())) == {(0, 1)}


def test_a_seats_results_do_not_depend_on_where_it_sits(tmp_path: Path) -> None:
    found = tables(Study("commons(seats=3,rounds=4,capacity=20)", "random*3", repeats=3000), tmp_path / "run")
    gains = found.moves.group_by("match", "seat", "place").agg(pl.col("reward").sum())
    for key in ("seat", "place"):
        groups = [frame["reward"].to_numpy() for frame in gains.partition_by(key)]
        assert stats.kruskal(*groups).pvalue > 1e-6


# pairs


def base_moves(found: read.Tables, arm: int, question: str) -> pl.DataFrame:
    """The moves and rewards of one arm's base game, by repeat and round."""
    mine = found.moves.filter((pl.col("arm") == arm) & (pl.col("question").cast(pl.String) == question))
    repeats = found.matches.select("arm", "match", "repeat")
    return (
        mine.join(repeats, on=["arm", "match"])
        .sort("repeat", "round", "seat")
        .select("repeat", "round", "seat", "place", "move", "reward", "deed")
    )


SILENT = [["talk"], ["talk(when=after)", "talk"], ["noise(rate=0)", "punish", "contract"]]
FAST = [("mixed", SILENT[1]), ("compiled", SILENT[2])]
PAIRED = [pytest.param(*pair, marks=[] if pair in FAST else pytest.mark.slow) for pair in itertools.product(("compiled", "mixed"), SILENT)]


@pytest.mark.filterwarnings("ignore:.*equals its control")
@pytest.mark.parametrize(("runner", "silent"), PAIRED)
def test_arms_are_paired_repeat_by_repeat(tmp_path: Path, runner: str, silent: list[str]) -> None:
    """With silent mechanisms added every repeat stays as it was, 60 of 60: moves, rewards, deeds, seats."""
    seats = "cheat(low=1,high=6),random,sustainer"
    arms = [Arm(COMMONS, seats), Arm(COMMONS, seats, silent)]
    found = tables(Study(arms=arms, repeats=60 if runner == "compiled" else 8, runner=runner), tmp_path / "run")
    assert_frame_equal(base_moves(found, 0, "harvest"), base_moves(found, 1, "harvest"))
    assert base_moves(found, 0, "harvest")["move"].n_unique() > 5


def test_a_seat_more_shifts_nobody_elses_draws(tmp_path: Path) -> None:
    """A random player in the same place of another table draws the same."""
    one, other = (Study(f"public_goods(seats={n},rounds=4)", f"random*{n}", repeats=40) for n in (2, 3))
    first, second = (tables(study, tmp_path / str(i)) for i, study in enumerate((one, other)))
    moves = [found.moves.sort("match", "round", "place").filter(pl.col("place") < 2)["move"].to_list() for found in (first, second)]
    assert moves[0] == moves[1]


def test_repeats_do_not_depend_on_how_many_there_are(tmp_path: Path) -> None:
    few, many = (tables(Study(COMMONS, SEATS, PUNISHED, repeats=n), tmp_path / str(n)) for n in (3, 8))
    assert_frame_equal(few.moves, many.moves.filter(pl.col("match") <= 3), rel_tol=1e-5)


def test_other_seeds_are_other_matches(tmp_path: Path) -> None:
    moves = [
        tables(Study(DILEMMA, "random*2", repeats=8, seed=seed), tmp_path / str(seed)).moves["move"].to_list() for seed in (0, 1, 2**32)
    ]
    assert moves[0] != moves[1]
    assert moves[0] != moves[2]


# a user's own file


MINE = """
from commonage.policy import Policy, move


class Mine(Policy):
    game = "dilemma"

    def act(self, key, memory, sight, legal):
        return move({}), memory
"""
FUNCTION = "def mine(view):\n    return {}\n"


@pytest.mark.parametrize(("text", "seat"), [(MINE, "mine.py"), (FUNCTION, "python:mine.py:mine")])
def test_a_study_is_not_gone_on_with_when_a_file_of_ones_own_has_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, seat: str
) -> None:
    monkeypatch.chdir(tmp_path)
    study = lambda: Study("dilemma(rounds=2)", f"{seat},grim", repeats=2)
    for value in ("0", "0"):  # the same again goes on
        Path("mine.py").write_text(text.replace("{}", value))
        find.load.cache_clear()
        study().run("run")
    Path("mine.py").write_text(text.replace("{}", "1"))
    find.load.cache_clear()
    with pytest.raises(LogError, match=r"mine\.py"):
        study().run("run")


def test_a_part_that_nobody_asks_is_noted_unless_another_arm_asks_it(tmp_path: Path) -> None:
    seats = "sustainer+fine_overusers*3"
    with pytest.warns(UserWarning, match="fine_overusers is idle: nobody asks it without punish; add --with punish"):
        Study(COMMONS, seats, repeats=1).run(tmp_path / "idle")
    assert studies.arm.remarks(Study(arms=[Arm(COMMONS, seats), Arm(COMMONS, seats, ["punish"])]).built) == []


# two runners, one truth

TOWERS = [
    (COMMONS, SEATS, PUNISHED),
    ("market(seats=3,rounds=4)", "random,best_reply,nash_seller", []),
    (COMMONS, "random+pledger,cheat(low=1,high=6),sustainer", ["noise(rate=0.3)", "talk"]),
    (DILEMMA, "joss+fine_overusers(notice=0.5),memory_one(p=[0.9,0.7,0.2,0.8,0.1])", ["punish", "noise(rate=0.2)"]),
]
PLAYED = [pytest.param(*row, id=" ".join([*row[2], row[0]]), marks=[pytest.mark.slow] if i > 1 else []) for i, row in enumerate(TOWERS)]


@pytest.mark.parametrize(("game", "seats", "around"), PLAYED)
def test_compiled_and_mixed_runs_are_equal(tmp_path: Path, game: str, seats: str, around: list[str]) -> None:
    compiled, mixed = (tables(Study(game, seats, around, repeats=8, runner=runner), tmp_path / runner) for runner in ("compiled", "mixed"))
    assert compiled.arms[0]["runner"] == "compiled"
    assert mixed.arms[0]["runner"] == "mixed"
    for name in ("matches", "steps", "moves"):
        keys = [key for key in ("match", "step", "seat") if key in getattr(mixed, name).columns]
        assert_frame_equal(getattr(mixed, name).sort(keys), getattr(compiled, name).sort(keys), rel_tol=1e-5, abs_tol=1e-6)


def test_auto_compiles_what_can_be_compiled(tmp_path: Path) -> None:
    arms = [Arm(DILEMMA, "grim*2"), Arm(DILEMMA, "vote(grim,random),grim"), Arm(DILEMMA, [Scripted("defect"), Grim()])]
    assert [arm.compiled for arm in Study(arms=arms).built] == [True, False, False]
    assert Study(arms=arms[:1], runner="mixed").built[0].compiled is False


# chunks


@pytest.mark.parametrize("chunk", [3, 8])
def test_the_last_chunk_is_filled_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, chunk: int) -> None:
    whole = tables(Study(COMMONS, SEATS, PUNISHED, repeats=8), tmp_path / "whole")
    monkeypatch.setattr(studies.arm, "CHUNK", chunk)
    parts = tables(Study(COMMONS, SEATS, PUNISHED, repeats=8), tmp_path / "parts")
    assert parts.matches["match"].to_list() == list(range(1, 9))
    assert parts.matches["repeat"].to_list() == list(range(8))
    for name in ("matches", "steps", "moves"):
        assert_frame_equal(getattr(whole, name), getattr(parts, name), rel_tol=1e-5)
    assert len(list((tmp_path / "parts").glob("*/*.matches.parquet"))) == -(-8 // chunk)


def test_chunks_of_two_arms(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(studies.arm, "CHUNK", 3)
    arms = [Arm(COMMONS, SEATS, PUNISHED), Arm(COMMONS, "sustainer*3")]
    found = tables(Study(arms=arms, repeats=8), tmp_path / "run")
    assert found.matches["match"].to_list() == list(range(1, 17))
    assert found.matches["arm"].to_list() == [0] * 8 + [1] * 8


# going on


@pytest.mark.parametrize("runner", ["compiled", "mixed"])
def test_a_finished_study_is_not_played_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, runner: str) -> None:
    study = Study(DILEMMA, "random*2", repeats=4, runner=runner)
    study.run(tmp_path / "run")
    files = {path: path.read_bytes() for path in (tmp_path / "run").rglob("*.parquet")}

    def never(*arguments: Any, **options: Any) -> Any:
        raise AssertionError("played again")

    monkeypatch.setattr(studies.batch, "play", never)
    monkeypatch.setattr(studies.match, "play", never)
    assert study.run(tmp_path / "run").status == {"finished": 4}
    assert {path: path.read_bytes() for path in files} == files


def test_missing_chunks_are_played(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(studies.arm, "CHUNK", 3)
    study = Study(COMMONS, SEATS, PUNISHED, repeats=8)
    study.run(tmp_path / "whole")
    with Log.create(tmp_path / "cut", {"toml": study.toml()}) as log:
        log.arm(study.header(study.built[0]))
        log.chunk(0, 1, *study._batch(study.built[0], 1))
    study.run(tmp_path / "cut")
    assert read.equal(tmp_path / "cut", tmp_path / "whole") == []


class Flaky(Agent):
    """The network breaks in the second round of every second match, until it is mended."""

    broken = True

    async def __call__(self, view: View) -> Answer:
        await asyncio.sleep(0)
        if view.round == 2 and self.broken and view.key.tolist()[0] % 2:
            raise Pause("503 Service Unavailable")
        return Answer(int(view.key.tolist()[1] + view.step) % 2, memory=view.step)


def test_paused_matches_go_on(tmp_path: Path) -> None:
    agent = Flaky()
    study = Study(DILEMMA, [agent, "random"], repeats=8)
    result = study.run(tmp_path / "run")
    assert result.status == {"finished": 4, "paused": 4} or set(result.status) == {"finished", "paused"}
    arm = result.summary()["arms"][0]
    assert arm["paused"] == result.status["paused"]
    assert arm["measures"]["gain"]["n"] == result.status["finished"]
    agent.broken = False
    assert study.run(tmp_path / "run").status == {"finished": 8}
    study.run(tmp_path / "whole")
    assert read.equal(tmp_path / "run", tmp_path / "whole") == []


def test_a_failed_match_stops_no_other_and_is_not_played_again(tmp_path: Path) -> None:
    agent = Calls(lambda view: "banana" if view.key.tolist()[0] % 2 else "defect")
    study = Study(DILEMMA, [agent, "cooperator"], repeats=8)
    result = study.run(tmp_path / "run")
    failed = result.status["failed"]
    assert 0 < failed < 8
    assert result.status["finished"] == 8 - failed
    asked = len(agent.views)
    assert study.run(tmp_path / "run").status == result.status
    assert len(agent.views) == asked
    arm = result.summary()["arms"][0]
    assert arm["failed"] == failed
    assert arm["measures"]["gain"]["worst"] < arm["measures"]["gain"]["mean"] < arm["measures"]["gain"]["best"]


def test_with_no_finished_match_a_measure_is_undefined(tmp_path: Path) -> None:
    arm = Study(DILEMMA, [Scripted("banana"), "grim"], repeats=2).run(tmp_path / "run").summary()["arms"][0]
    assert (arm["matches"], arm["failed"]) == (2, 2)
    assert {(cell["mean"], cell["low"], cell["high"], cell["n"]) for cell in arm["measures"].values()} == {(None, None, None, 0)}


def test_a_seat_that_retired_is_flagged(tmp_path: Path) -> None:
    found = Study(COMMONS, ["sustainer*2", Scripted("banana")], repeats=2, on_failure="retire").run(tmp_path / "run")
    arm = found.summary()["arms"][0]
    assert (arm["failed"], arm["retired"], arm["matches"]) == (0, 2, 2)
    assert arm["measures"]["cooperation"]["mean"] == 1  # of those who stayed
    assert found.tables.moves.filter(pl.col("seat") == 2)["move"].null_count() == 8


@pytest.mark.parametrize(("game", "on_failure"), [(DILEMMA, "end"), ("public_goods(seats=2,rounds=4)", "retire")])
def test_a_policy_that_breaks_the_rules_fails_alike_in_both_runners(tmp_path: Path, game: str, on_failure: str) -> None:
    compiled, mixed = (
        tables(Study(game, ["random", Illegal(move=99)], repeats=4, runner=runner, on_failure=on_failure), tmp_path / runner)
        for runner in ("compiled", "mixed")
    )
    assert mixed.matches["cause"].to_list() == ["seat 2: its policy chose the illegal move 99"] * 4
    assert mixed.matches["where"].to_list() == ["agent"] * 4
    assert_frame_equal(compiled.matches, mixed.matches)
    assert_frame_equal(compiled.moves, mixed.moves)


def test_when_the_log_cannot_be_written_nobody_plays_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The disk fills up in the middle: the error is told, and no agent is asked (or paid) after it."""
    agent = Calls(lambda view: "cooperate")
    flush, count = Log.flush, []

    def full(self: Log) -> None:
        count.append(1)
        if len(count) == 8:
            raise LogError("the disk is full")
        flush(self)

    monkeypatch.setattr(Log, "flush", full)

    async def cell() -> int:
        with pytest.raises(LogError, match="the disk is full"):
            await Study(DILEMMA, [agent, "grim"], repeats=20).arun(tmp_path / "run")
        asked = len(agent.views)
        await asyncio.sleep(0.05)
        return len(agent.views) - asked

    assert asyncio.run(cell()) == 0


def test_matches_that_wait_are_played_at_the_same_time(tmp_path: Path) -> None:
    playing, most = set[int](), [0]

    class Slow(Agent):
        async def __call__(self, view: View) -> Answer:
            playing.add(int(view.key[0]))
            await asyncio.sleep(0.005)
            most[0] = max(most[0], len(playing))
            return Answer(0)

    Study("dilemma(rounds=1)", [Slow(), "grim"], repeats=8).run(tmp_path / "run")
    assert most[0] == 8


def test_a_person_plays_one_match_at_a_time(tmp_path: Path) -> None:
    seen: list[int] = []

    class Person(Agent):
        boundary = "person"

        async def __call__(self, view: View) -> Answer:
            seen.append(int(view.key[0]))
            await asyncio.sleep(0.001)
            return Answer(0)

    Study(DILEMMA, [Person(), "grim"], repeats=3).run(tmp_path / "run")
    assert [seen[i] for i in range(0, 12, 4)] == list(dict.fromkeys(seen))


def test_the_key_of_a_repeat_is_what_the_header_says(tmp_path: Path) -> None:
    """Anybody can draw them again: fold(root(seed), "repeat", number)."""
    agent = Calls(lambda view: "cooperate")
    Study(DILEMMA, [agent, "grim"], repeats=2, seed=5).run(tmp_path / "run")
    keys = {tuple(view.key.tolist()) for view in agent.views}
    assert keys == {tuple(np.asarray(seeds.fold(seeds.root(5), "repeat", r)).tolist()) for r in range(2)}


def test_the_outcome_of_a_logged_match(tmp_path: Path) -> None:
    study = Study(DILEMMA, [Calls(lambda view: "cooperate"), "grim"], repeats=1)
    arm = study.built[0]
    with Log.create(tmp_path / "run", {"toml": study.toml()}) as log:
        log.arm(study.header(arm))
        outcome = asyncio.run(studies.play_logged(log, 1, arm, study.streams(arm.game)[0][0], [0, 1], 0, "end"))
        assert outcome == Outcome("finished")
        assert log.status() == {1: "finished"}
    with sqlite3.connect(tmp_path / "run" / "log.sqlite") as file:
        assert file.execute("SELECT count(*) FROM events WHERE kind = 'moved'").fetchone() == (8,)
