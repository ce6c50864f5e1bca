"""The tables: the same from both runners, to the type of every column."""

import json

import logs
import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from commonage.errors import LogError
from commonage.event import EVENTS, TABLE, Asked, Failed, Finished, Moved, Paused, Started, Stepped
from commonage.store.log import Log
from commonage.store.read import events, read
from commonage.store.tables import COLUMNS


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    place = tmp_path_factory.mktemp("runs")
    return logs.mixed(place / "mixed"), logs.compiled(place / "compiled"), logs.both(place / "both")


@pytest.mark.parametrize("table", COLUMNS)
def test_both_runners_leave_the_same_tables(folders, table):
    mixed, compiled = (getattr(read(folder), table) for folder in folders[:2])
    assert mixed.height == {"matches": 3, "steps": 12, "moves": 36}[table]
    assert_frame_equal(mixed, compiled, check_exact=True)
    assert mixed.schema == compiled.schema


def test_the_columns(folders):
    tables = read(folders[0])
    assert {name: tables.matches.schema[name] for name in COLUMNS["matches"]} == COLUMNS["matches"]
    assert tables.steps.columns == [*COLUMNS["steps"], "dry", "season", "stock"]
    assert tables.moves.columns == [*COLUMNS["moves"], "caught", "punish.fined"]
    assert [tables.steps.schema[name] for name in ("dry", "season", "stock")] == [pl.Boolean, pl.Int32, pl.Float32]
    assert [tables.moves.schema[name] for name in ("caught", "punish.fined")] == [pl.Int32, pl.Float32]


def test_a_match_as_rows(folders):
    """Match 2 seats 2, 0, 1 in the game; in step 1 the first seat's only move is forced, and the last is not asked."""
    tables = read(folders[2], matches=[2])
    assert tables.matches.row(0) == (0, 2, 1, 1, "finished", None, None, 0, 4, 2, False, True, [2, 0, 1], None, None)
    assert tables.steps.select("step", "round", "round_over", "truncated", "stock").rows() == [
        (0, 1, False, False, 98.0), (1, 1, True, False, 90.5), (2, 2, False, False, 83.0), (3, 2, True, True, 75.5),
    ]  # fmt: skip
    asked = tables.moves.select("step", "seat", "place", "question", "move", "choice", "forced").rows()
    assert asked[:6] == [
        (0, 0, 1, "harvest", 2, "7", False), (0, 1, 2, "harvest", 3, "8", False), (0, 2, 0, "harvest", 4, "9", False),
        (1, 0, 1, "fine whom", 1, "seat 1", True), (1, 1, 2, "fine whom", 0, "nobody", False), (1, 2, 0, None, None, None, False),
    ]  # fmt: skip
    got = tables.moves.select("deed", "toward", "caught").rows()
    assert got[:4] == [(0.0, -1, 2), (1.0, 0, 2), (1.0, 1, 2), (None, -1, 2)]
    assert tables.moves["reward"].to_list()[:6] == pytest.approx([2 / 3, 2 / 3, 2 / 3, 2 / 3, 1, 4 / 3])


def test_arms_one_by_one(folders):
    whole = read(folders[2])
    assert [header["arm"] for header in whole.arms] == [0, 1]
    assert whole.matches["match"].to_list() == [1, 2, 3, 4, 5, 6]
    for arm in (0, 1):
        part = read(folders[2], arms=[arm])
        assert [header["arm"] for header in part.arms] == [arm]
        for table in COLUMNS:
            assert_frame_equal(getattr(part, table), getattr(whole, table).filter(arm=arm))


@pytest.mark.parametrize("matches", [[1], [3, 5], [6, 2, 4], [2, 9]])
def test_matches_one_by_one(folders, matches):
    whole, part = read(folders[2]), read(folders[2], matches=matches)
    for table in COLUMNS:
        assert_frame_equal(getattr(part, table), getattr(whole, table).filter(pl.col("match").is_in(matches)))


def test_matches_that_are_not_there(folders):
    assert [read(folders[2], matches=matches).matches.height for matches in ([9], [])] == [0, 0]


def test_an_empty_log(tmp_path):
    Log.create(tmp_path, {}).close()
    tables = read(tmp_path)
    assert tables.arms == []
    for table, columns in COLUMNS.items():
        assert dict(getattr(tables, table).schema) == columns
    assert events(tmp_path).height == 0


def play(folder, *rows, **more):
    with Log.create(folder, {}) as log:
        log.arm(logs.header(**more))
        for row in rows:
            log.write(1, *row)
    return folder


def begin(seats=3):
    return -1, TABLE, 0, Started(0, 0, list(range(seats)))


def step(number, facts, seats=3, **more):
    row = Stepped(number + 1, True, False, False, [0.0] * seats, [None] * seats, [-1] * seats, facts)
    return number, TABLE, 0, row._replace(**more)


def test_a_step_that_was_never_completed_has_no_rows(tmp_path):
    folder = play(tmp_path, begin(), (0, 0, 0, Moved(0, 1)), step(0, {}), (1, 0, 0, Moved(0, 2)), (1, TABLE, 1, Paused("no network")))
    tables = read(folder)
    assert tables.moves.select("step", "seat", "move").rows() == [(0, 0, 1), (0, 1, None), (0, 2, None)]
    assert tables.matches.select("status", "steps").row(0) == ("paused", 1)
    assert events(folder).filter(kind="moved")["step"].to_list() == [0, 1]


def test_a_match_that_has_just_begun(tmp_path):
    tables = read(play(tmp_path, begin()))
    assert tables.matches.select("status", "steps", "rounds", "ended").row(0) == ("open", 0, 0, False)
    assert (tables.steps.height, tables.moves.height) == (0, 0)


def test_an_answer_after_two_that_could_not_be_read(tmp_path):
    tables = read(
        play(tmp_path, begin(), (0, 0, 0, Asked(0, "?", "empty")), (0, 0, 1, Asked(0, "?", "empty")), (0, 0, 2, Moved(0, 4)), step(0, {}))
    )
    assert tables.moves["choice"].to_list() == ["9", None, None]


def test_a_failure_is_never_a_move(tmp_path):
    tables = read(
        play(tmp_path, begin(), (0, 0, 3, Failed("model", "refused", 0, retired=True)), step(0, {}), (1, TABLE, 0, Finished(1, False)))
    )
    assert tables.moves.select("question", "move", "choice", "deed").row(0) == (None, None, None, None)
    assert tables.matches.select("status", "where", "cause").row(0) == ("finished", "model", 'at "harvest": refused')


def test_facts_of_many_kinds(tmp_path):
    """A fact may come and go, be whole at one step and not at the next, be large, be NaN, or be called like a column."""
    nan = float("nan")
    steps = [
        step(0, {"half": 1, "late": None, "large": 2**31, "round": 5, "move": [1, 2, 3], "odd": nan}),
        step(1, {"half": 1.5, "late": 2, "large": 0, "round": 6, "move": [4, 5, 6], "odd": 1.0}),
    ]
    tables = read(play(tmp_path, begin(), *steps))
    assert tables.steps.select("half", "late", "large", "fact.round", "round").rows() == [(1.0, None, 2**31, 5, 1), (1.5, 2, 0, 6, 2)]
    assert [tables.steps.schema[name] for name in ("half", "late", "large", "odd")] == [pl.Float32, pl.Int32, pl.Int64, pl.Float32]
    assert tables.steps["odd"].is_nan().to_list() == [True, False]
    assert tables.moves["fact.move"].to_list() == [1, 2, 3, 4, 5, 6]


def test_deeds_that_are_not_numbers_are_none(tmp_path):
    assert read(play(tmp_path, begin(), step(0, {}, deeds=[float("nan"), None, 1.0]))).moves["deed"].to_list() == [None, None, 1.0]


def test_facts_of_other_seats_are_refused(tmp_path):
    with pytest.raises(LogError, match=r"arm 0: 'caught' has not one value for each of 3 seats"):
        read(play(tmp_path, begin(), step(0, {"caught": [1, 2]})))


def test_arms_with_other_facts_and_seats(tmp_path):
    with Log.create(tmp_path, {}) as log:
        log.arm(logs.header())
        log.arm(logs.header(1, seats=2))
        for row in (begin(), step(0, {"stock": 1.0})):
            log.write(1, *row)
        for row in ((-1, TABLE, 0, Started(1, 0, [1, 0])), step(0, {"price": [1.0, 2.0]}, seats=2)):
            log.write(4, *row)
    tables = read(tmp_path)
    assert tables.steps.select("arm", "match", "stock").rows() == [(0, 1, 1.0), (1, 4, None)]
    assert tables.moves.select("arm", "seat", "place", "price").rows() == [
        (0, 0, 0, None), (0, 1, 1, None), (0, 2, 2, None), (1, 0, 1, 1.0), (1, 1, 0, 2.0),
    ]  # fmt: skip


def test_interleaved_matches_of_two_arms(tmp_path):
    with Log.create(tmp_path, {}) as log:
        log.arm(logs.header())
        log.arm(logs.header(1))
        for match in (1, 2, 3, 4):
            for row in logs.rows(match, arm=match % 2):
                log.write(match, *row)
    assert read(tmp_path).matches.select("arm", "match").rows() == [(0, 2), (0, 4), (1, 1), (1, 3)]
    assert read(tmp_path, arms=[1]).moves["match"].unique().to_list() == [1, 3]
    assert events(tmp_path).filter(kind="finished").select("arm", "match").sort("match").rows() == [(1, 1), (0, 2), (1, 3), (0, 4)]


def test_of_a_long_range_of_amounts_only_the_needed_words_are_made(tmp_path):
    questions = [{"name": "give", "options": (), "amount": (0, 10**12)}]
    assert read(play(tmp_path, begin(), (0, 1, 0, Moved(0, 3)), step(0, {}), questions=questions)).moves["choice"][1] == "3"


def test_a_chunk_without_steps(tmp_path):
    """`events = none`: the runner gives the totals itself."""
    with Log.create(tmp_path, {}) as log:
        log.arm(logs.header(runner="compiled"))
        totals = {"steps": [4, 4], "rounds": [2, 2], "ended": [False, False], "truncated": [True, True]}
        log.chunk(0, 0, {**logs.columns((1, 2))[0], **totals})
    tables = read(tmp_path)
    assert tables.matches.select("match", "steps", "rounds", "truncated").rows() == [(1, 4, 2, True), (2, 4, 2, True)]
    assert (tables.steps.height, tables.moves.height) == (0, 0)


def test_a_chunk_of_frames(tmp_path, folders):
    with Log.create(tmp_path, {}) as log:
        log.arm(logs.header(runner="compiled"))
        log.chunk(0, 0, *(pl.DataFrame(part) for part in logs.columns((1, 2, 3))))
    assert_frame_equal(read(tmp_path).moves, read(folders[1]).moves)


# ---- events as one table


def test_all_events(folders):
    frame = events(folders[0])
    assert frame.height == sum(len(list(logs.rows(match))) for match in (1, 2, 3))
    assert frame["kind"].to_list()[:5] == ["started", "moved", "moved", "moved", "stepped"]
    move = frame.row(2, named=True)
    assert {name: move[name] for name in ("arm", "match", "step", "seat", "kind", "question", "move", "choice", "forced")} == {
        "arm": 0, "match": 1, "step": 0, "seat": 1, "kind": "moved", "question": "harvest", "move": 2, "choice": "7", "forced": False,
    }  # fmt: skip
    assert frame["at"].null_count() == 0


def test_both_runners_leave_the_same_events(folders):
    """Clocks aside, and JSON compared as values: a 32-bit float has fewer digits."""
    mixed, compiled = (events(folder).drop("at") for folder in folders[:2])
    nested = [name for name, kind in mixed.schema.items() if kind == pl.String]
    assert_frame_equal(mixed.drop(nested), compiled.drop(nested))
    for name in nested:
        ours, theirs = ([text and json.loads(text) for text in frame[name]] for frame in (mixed, compiled))
        assert ours == (theirs if name != "rewards" else [each and pytest.approx(each) for each in theirs])


def test_every_field_of_every_event_has_a_column(tmp_path):
    fields = {name for cls in EVENTS.values() for name in cls._fields}
    folder = play(
        tmp_path, begin(), (0, 0, 0, Asked(0, "five?", "the last line was 'five?'", {"calls": 1})),
        (0, 0, 1, Moved(0, 0, says="hello", text="5", memory=[1], usage={"calls": 1})), (0, 1, 3, Failed("model", "refused", 0, True)),
        step(0, {"stock": 3}), (1, TABLE, 1, Paused("no network")),
    )  # fmt: skip
    frame = events(folder)
    assert fields <= set(frame.columns)
    assert frame.select("kind", "question", "choice", "says", "text", "problem", "memory", "usage").rows()[1:3] == [
        ("asked", "harvest", None, None, "five?", "the last line was 'five?'", None, '{"calls":1}'),
        ("moved", "harvest", "5", "hello", "5", None, "[1]", '{"calls":1}'),
    ]
    assert frame.select("kind", "where", "what", "retired").rows()[3] == ("failed", "model", "refused", True)
    assert json.loads(frame.filter(kind="stepped")["facts"][0]) == {"stock": 3}
    assert frame.filter(kind="paused")["what"].to_list() == ["no network"]


@pytest.mark.parametrize("form", ["parquet", "csv"])
def test_events_can_be_written(folders, tmp_path, form):
    frame = events(folders[2])
    getattr(frame, f"write_{form}")(tmp_path / form)
    assert getattr(pl, f"read_{form}")(tmp_path / form).height == frame.height


def test_a_failed_compiled_match(tmp_path):
    with Log.create(tmp_path, {}) as log:
        log.arm(logs.header(runner="compiled"))
        matches, steps, moves = logs.columns((1, 2))
        log.chunk(
            0,
            0,
            {**matches, "status": np.array(["finished", "failed"]), "where": [None, "agent"], "cause": [None, "illegal"]},
            steps,
            moves,
        )
    ends = events(tmp_path).filter(pl.col("kind").is_in(["failed", "finished"]))
    assert ends.select("match", "step", "seat", "kind", "where", "what").rows() == [
        (1, 4, TABLE, "finished", None, None), (2, 4, TABLE, "failed", "agent", "illegal"),
    ]  # fmt: skip
