"""Equality of logs: clocks aside, pauses that were overcome aside, all else to the bit."""

import re
import shutil

import logs
import pytest

from commonage.event import TABLE, Moved, Paused, Started
from commonage.store.log import Log
from commonage.store.read import equal


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return logs.both(tmp_path_factory.mktemp("same") / "run")


def test_the_same_run_twice(folder, tmp_path):
    assert equal(folder, logs.both(tmp_path / "again")) == []
    assert equal(folder, folder) == []


def test_how_a_run_was_cut_into_chunks_does_not_count(tmp_path):
    for name, chunks in (("a", ((1, 2), (3,))), ("b", ((1,), (2, 3)))):
        with Log.create(tmp_path / name, {}) as log:
            log.arm(logs.header(runner="compiled"))
            logs.play_compiled(log, chunks=chunks)
    assert equal(tmp_path / "a", tmp_path / "b") == []


def write(folder, *rows, **more):
    with Log.create(folder, {}) as log:
        log.arm(logs.header(**more))
        log.write(1, -1, TABLE, 0, Started(0, 0, [0, 1, 2]))
        for row in rows:
            log.write(1, *row)
    return folder


def test_seconds_and_pauses_do_not_count(tmp_path):
    a = write(tmp_path / "a", (0, 0, 0, Moved(0, 1, usage={"calls": 1, "seconds": 0.5})))
    b = write(tmp_path / "b", (0, 0, 0, Moved(0, 1, usage={"calls": 1, "seconds": 0.7})), (0, TABLE, 1, Paused("no network")))
    c = write(tmp_path / "c", (0, 0, 0, Moved(0, 1, usage={"calls": 2, "seconds": 0.5})))
    assert equal(a, b) == equal(b, a) == []
    assert equal(a, c) == [
        'match 1, step 0, seat 0, attempt 0, moved: {"move": 1, "question": 0, "usage": {"calls": 1}}'
        ' against {"move": 1, "question": 0, "usage": {"calls": 2}}'
    ]


def test_a_missing_event_is_named(tmp_path):
    a, b = write(tmp_path / "a", (0, 2, 0, Moved(0, 1))), write(tmp_path / "b")
    assert equal(a, b) == ['match 1, step 0, seat 2, attempt 0, moved: {"move": 1, "question": 0} against nothing']
    assert equal(b, a) == ['match 1, step 0, seat 2, attempt 0, moved: nothing against {"move": 1, "question": 0}']


def test_headers_count(tmp_path):
    assert equal(write(tmp_path / "a"), write(tmp_path / "b", seed=8)) == ["arm 0: seed is 7 there, 8 here"]


def test_many_differences_are_counted(tmp_path):
    a, b = (write(tmp_path / name, *((step, 0, 0, Moved(0, move)) for step in range(50))) for name, move in (("a", 1), ("b", 2)))
    found = equal(a, b)
    assert len(found) == 21
    assert found[-1] == "and 30 more"


@pytest.mark.parametrize(
    ("table", "column", "says"),
    [
        (2, "reward", "moves: arm 0, match 2, step 1, seat 0: reward is 0.666.* against 9.0, and so in 1 rows"),
        (2, "move", "moves: arm 0, match 2, step 1, seat 0: move is 1 against 0, and so in 1 rows"),
        (1, "stock", "steps: arm 0, match 2, step 1: stock is 90.5 against 9.0, and so in 1 rows"),
    ],
)
def test_compiled_tables_count(tmp_path, table, column, says):
    for name in ("a", "b"):
        columns = logs.columns((1, 2))
        if name == "b":
            row = {1: 5, 2: 15}[table]
            columns[table][column][row] = 0 if column == "move" else 9
        with Log.create(tmp_path / name, {}) as log:
            log.arm(logs.header(runner="compiled"))
            log.chunk(0, 0, *columns)
    found = equal(tmp_path / "a", tmp_path / "b")
    assert any(re.fullmatch(says, line) for line in found), found
    assert all(column in line or "choice" in line for line in found)


def test_a_missing_chunk_counts(folder, tmp_path):
    less = shutil.copytree(folder, tmp_path / "less")
    with Log.create(tmp_path / "more", logs.STUDY) as log:
        log.arm(logs.header())
        log.arm(logs.header(1, "compiled"))
        logs.play_mixed(log)
        log.chunk(1, 0, *logs.columns((4, 5)))
    assert equal(less, tmp_path / "more") == ["matches: 3 rows against 2", "steps: 12 rows against 8", "moves: 36 rows against 24"]
