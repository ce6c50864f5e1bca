"""The log: what is written comes back, nothing that is there changes, and there is one writer."""

import errno
import math
import os
import re
import resource
import sqlite3
import subprocess
import sys

import logs
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from commonage.errors import LogError
from commonage.event import EVENTS, TABLE, Asked, Failed, Finished, Inherited, Moved, Paused, Replaced, Started, Stepped
from commonage.store import file, read
from commonage.store.codec import decode, encode
from commonage.store.log import Log

ONE_OF_EACH = [
    (-1, 0, 0, Inherited("I give\nhalf", 2, True, {"tokens": 12})),
    (-1, 1, 0, Inherited({"first": 40}, 1)),
    (-1, TABLE, 0, Started(0, 4, [2, 0, 1], 2)),
    (0, 0, 0, Asked(1, "I'd say ten\nor so", "the last line was 'or so'", {"calls": 1, "seconds": 0.5})),
    (0, 0, 1, Moved(1, 10, False, "ten, please", "10", {"notes": ["湖 \ud800 'quoted' \x00"]}, {"tokens": 12})),
    (0, 1, 0, Replaced("person", "no answer within 60 s", "grim", 0)),
    (0, 1, 0, Moved(0, 3)),
    (0, 2, 0, Moved(0, 0, forced=True)),
    (0, 2, 3, Failed("model", "refused: I cannot", 1, retired=True)),
    (0, TABLE, 0, Stepped(1, True, False, True, [1.0, 0.1, -2.5], [1.0, None, 0.0], [-1, 2, 0], {"stock": 3, "caught": [1.5, 2.5, 3.5]})),
    (1, TABLE, 1, Paused("429, asked five times")),
    (1, TABLE, 0, Finished(1, False)),
]


@pytest.fixture
def log(tmp_path):
    with Log.create(tmp_path / "run", logs.STUDY) as log:
        log.arm(logs.header())
        yield log


def test_every_event_comes_back(log, tmp_path):
    assert {type(row[3]) for row in ONE_OF_EACH} == set(EVENTS.values())
    for row in reversed(ONE_OF_EACH):
        log.write(1, *row)
    in_play = [*ONE_OF_EACH[:-2], ONE_OF_EACH[-1], ONE_OF_EACH[-2]]  # at the table by attempt
    assert log.events(1) == in_play
    assert read.match(tmp_path / "run", 1) == in_play
    assert log.events(2) == []


json = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
number = st.floats(allow_nan=False)
FIELDS = {
    "int": st.integers(-1, 2**31),
    "bool": st.booleans(),
    "str": st.text(),
    "Any": json,
    "dict[str, float]": st.dictionaries(st.text(), number, max_size=3),
    "dict[str, Any]": st.dictionaries(st.text(), json, max_size=3),
    "list[int]": st.lists(st.integers(-1, 99), max_size=4),
    "list[float]": st.lists(number, max_size=4),
    "list[float | None]": st.lists(st.none() | number, max_size=4),
}
any_event = st.one_of(
    [st.builds(cls, **{name: FIELDS[cls.__annotations__[name].__forward_arg__] for name in cls._fields}) for cls in EVENTS.values()]
)


@given(any_event)
def test_any_event_as_json(event):
    assert decode(*encode(event)) == event
    assert repr(decode(*encode(event))) == repr(event)  # 1 and 1.0 and True are three things


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.dictionaries(st.tuples(st.integers(0, 5), st.integers(0, 9), st.integers(-1, 3), st.integers(0, 2)), any_event, max_size=12))
def test_any_match_comes_back(tmp_path_factory, events):
    folder = tmp_path_factory.mktemp("any") / "run"
    with Log.create(folder, {}) as log:
        for key, event in events.items():
            log.write(*key, event)
    with Log.open(folder) as log:
        assert {(match, *row[:3]): row[3] for match in range(6) for row in log.events(match)} == events


def test_numpy_is_written_as_numbers(log):
    log.write(np.int64(1), np.int32(0), np.int8(2), 0, Moved(np.int32(1), np.int64(3), np.bool_(True), memory=np.arange(3)))
    log.write(1, 1, 0, 0, Moved(1, 2, memory=float("nan")))
    log.flush()
    first, second = log.events(1)
    assert first == (0, 2, 0, Moved(1, 3, True, memory=[0, 1, 2]))
    assert math.isnan(second[3].memory)


def test_only_whole_numbers_are_places(log):
    with pytest.raises(TypeError):
        log.write(1.0, 0, 0, 0, Moved(0, 0))


def test_a_move_takes_few_bytes():
    assert encode(Moved(0, 3)) == ("moved", '{"question":0,"move":3}')
    assert encode(Moved(0, 3, True)) == ("moved", '{"question":0,"move":3,"forced":true}')


def test_unflushed_events_are_not_there_yet(log, tmp_path):
    log.write(1, -1, TABLE, 0, Started(0, 0, [0, 1, 2]))
    assert read.match(tmp_path / "run", 1) == []
    log.flush()
    assert len(read.match(tmp_path / "run", 1)) == 1


def test_what_is_in_a_log_stays(log):
    log.write(1, 0, 0, 0, Moved(0, 3))
    log.flush()
    log.write(1, 0, 0, 0, Moved(0, 3))  # the same once more is nothing new
    log.write(1, 0, 1, 0, Moved(0, 4))
    log.flush()
    assert log.events(1) == [(0, 0, 0, Moved(0, 3)), (0, 1, 0, Moved(0, 4))]
    log.write(1, 0, 0, 0, Moved(0, 2))
    with pytest.raises(LogError, match=r"match 1, step 0, seat 0, attempt 0.*\"move\":3.*stays; not .*\"move\":2"):
        log.flush()
    log._rows.clear()


def test_one_key_twice_in_a_buffer(log):
    log.write(1, 0, 0, 0, Moved(0, 3))
    log.write(1, 0, 0, 0, Moved(0, 2))
    with pytest.raises(LogError, match="what is in a log stays"):
        log.flush()
    log._rows.clear()
    assert log.events(1) == []


def test_a_match_can_pause_twice_at_a_step(log):
    for why in ("no network", "no budget"):
        log.write(1, 0, TABLE, 1, Paused(why))
        log.flush()
    assert log.events(1) == [(0, TABLE, 1, Paused("no budget"))]


def test_how_matches_stand(log):
    def play(match, *events):
        log.write(match, -1, TABLE, 0, Started(0, match - 1, [0, 1, 2]))
        for step, seat, event in events:
            log.write(match, step, seat, 0, event)

    step = logs.stepped(1, 0)
    play(1)
    play(2, (0, 1, Moved(0, 1)), (0, TABLE, Paused("no network")))
    play(3, (0, TABLE, Paused("no network")), (0, TABLE, step))
    play(4, (0, TABLE, step), (1, 2, Failed("model", "no legal last line")))
    play(5, (0, 2, Failed("model", "no legal last line", retired=True)), (0, TABLE, step), (1, TABLE, Finished(1, True)))
    play(6, (0, TABLE, Failed("game", "ZeroDivisionError")))
    assert log.status() == {1: "open", 2: "paused", 3: "open", 4: "failed", 5: "finished", 6: "failed"}
    assert read.read(log.folder).matches.select("match", "status", "where", "cause", "steps").rows() == [
        (1, "open", None, None, 0),
        (2, "paused", None, "no network", 0),
        (3, "open", None, None, 1),
        (4, "failed", "model", "no legal last line", 1),
        (5, "finished", "model", "no legal last line", 1),  # a seat was retired
        (6, "failed", "game", "ZeroDivisionError", 0),
    ]


def test_compiled_matches_stand_in_status_too(tmp_path):
    with Log.create(tmp_path, logs.STUDY) as log:
        log.arm(logs.header(runner="compiled"))
        matches, steps, moves = logs.columns((1, 2))
        log.chunk(
            0, 0, {**matches, "status": ["finished", "failed"], "where": [None, "agent"], "cause": [None, "an illegal move"]}, steps, moves
        )
        assert log.status() == {1: "finished", 2: "failed"}
        assert log.chunks(0) == {0}
        assert log.chunks(1) == set()
        with pytest.raises(LogError, match="has chunk 0 of arm 0 already"):
            log.chunk(0, 0, matches, steps, moves)


def test_a_chunk_without_a_column_is_refused(log):
    matches, steps, moves = logs.columns((1, 2))
    with pytest.raises(ValueError, match="the moves of a chunk lack the columns deed, toward; they have match"):
        log.chunk(0, 0, matches, steps, {name: moves[name] for name in moves if name not in ("deed", "toward")})
    assert log.chunks(0) == set()


def test_headers_stay(log):
    log.arm(logs.header())
    log.arm(logs.header(1, oracles=[("welfare", float("nan"))]))
    log.arm(logs.header(1, oracles=[["welfare", float("nan")]]))  # a tuple is a list in JSON, and NaN is NaN
    assert [header["arm"] for header in log.arms] == [0, 1]
    with pytest.raises(LogError, match=r"another arm 1: seed is 7 there, 8 here.*--out"):
        log.arm(logs.header(1, oracles=[("welfare", float("nan"))], seed=8))


def test_the_same_study_goes_on(tmp_path):
    logs.mixed(tmp_path / "run")
    with Log.create(tmp_path / "run", dict(reversed(logs.STUDY.items()))) as log:
        assert log.status() == {1: "finished", 2: "finished", 3: "finished"}
        assert log.study == logs.STUDY


@pytest.mark.parametrize(
    ("study", "says"),
    [({"name": "small", "seed": 8}, "seed is 7 there, 8 here"), ({"name": "small"}, "seed is 7 there, nothing here")],
)
def test_another_study_is_refused(tmp_path, study, says):
    before = contents(logs.both(tmp_path / "run"))
    with pytest.raises(LogError, match=rf"{re.escape(str(tmp_path))}.* holds another study: {says}.*--out"):
        Log.create(tmp_path / "run", study)
    assert contents(tmp_path / "run") == before


def test_studies_as_text_are_compared_by_line(tmp_path):
    Log.create(tmp_path, {"toml": "seed = 1\nrepeats = 20\n"}).close()
    with pytest.raises(LogError, match=r"toml, line 2 is repeats = 20 there, repeats = 50 here"):
        Log.create(tmp_path, {"toml": "seed = 1\nrepeats = 50\n"})


def test_no_log(tmp_path):
    for use in (Log.open, read.read, read.events):
        with pytest.raises(LogError, match=r"no log in .*it has no log\.sqlite\. Give a folder"):
            use(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_with_other_things_can_hold_a_log(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    logs.mixed(tmp_path)
    assert (tmp_path / "notes.txt").read_text() == "mine"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["log.lock", "log.sqlite", "notes.txt"]


def test_one_writer(log, tmp_path):
    for use in (lambda: Log.open(tmp_path / "run"), lambda: Log.create(tmp_path / "run", logs.STUDY)):
        with pytest.raises(LogError, match=r"is being written by another process.*--out"):
            use()
    log.write(1, -1, TABLE, 0, Started(0, 0, [0, 1, 2]))
    log.flush()
    assert read.read(tmp_path / "run").matches.height == 1  # readers come and go
    log.close()
    Log.open(tmp_path / "run").close()


def test_one_writer_among_processes(log, tmp_path):
    ours = subprocess.run([sys.executable, logs.__file__, str(tmp_path / "run")], capture_output=True, text=True)
    assert ours.returncode == 1
    assert "is being written by another process" in ours.stderr


def test_buffered_events_survive_an_exception(tmp_path):
    def interrupted():
        with Log.create(tmp_path, {}) as log:
            log.write(1, 0, 0, 0, Moved(0, 3))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert len(read.match(tmp_path, 1)) == 1


# ---- places that cannot be written


def test_a_file_where_the_folder_should_be(tmp_path):
    (tmp_path / "run").write_text("mine")
    for folder in (tmp_path / "run", tmp_path / "run" / "deeper"):
        with pytest.raises(LogError, match=r"run.*a log needs a folder that you may write.*--out"):
            Log.create(folder, {})
    assert (tmp_path / "run").read_text() == "mine"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_is_not_mine(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(LogError, match=r"Permission denied.*a log needs a folder that you may write"):
        Log.create(tmp_path, {})


def full(*_):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_full_disk_says_so_before_anything_runs(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(LogError, match=r"the disk is full \(No space left on device\).*make room.*--out"):
        Log.create(tmp_path, {})
    assert list(tmp_path.iterdir()) == []


def test_a_disk_that_fills_up_in_a_chunk(tmp_path, monkeypatch):
    with Log.create(tmp_path, {}) as log:
        monkeypatch.setattr(os, "fsync", full)
        with pytest.raises(LogError, match=r"chunk-0000\.matches\.parquet: the disk is full"):
            log.chunk(0, 0, *logs.columns((1, 2)))
        monkeypatch.undo()
        assert list((tmp_path / "arm-0000").iterdir()) == []
        log.chunk(0, 0, *logs.columns((1, 2)))
        assert log.chunks(0) == {0}


def test_a_disk_that_fills_up_in_a_commit(tmp_path):
    """With a small limit on the size of files SQLite meets the same error as on a full disk; what was flushed stays, the rest waits."""
    with Log.create(tmp_path, {}) as log:
        log.write(1, 0, 0, 0, Moved(0, 3))
        log.flush()
        before = resource.getrlimit(resource.RLIMIT_FSIZE)
        log.write(1, 1, 0, 0, Moved(0, 3, text="x" * 2_000_000))
        try:
            resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, before[1]))
            with pytest.raises(LogError, match=r"log\.sqlite: the disk is full or failing.*What was recorded before is kept"):
                log.flush()
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)
        assert len(read.match(tmp_path, 1)) == 1
        log.flush()
        assert len(read.match(tmp_path, 1)) == 2


@pytest.fixture
def small_disk(tmp_path):
    """A disk of 256 kB, where the system lets us mount one."""
    place = tmp_path / "disk"
    place.mkdir()
    if os.geteuid() != 0 or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", place], capture_output=True).returncode:
        pytest.skip("no right to mount")
    yield place
    subprocess.run(["umount", "-l", place], check=True)


def test_a_disk_too_small(small_disk):
    with pytest.raises(LogError, match=r"the disk is full \(No space left on device\)"):
        Log.create(small_disk / "run", {})


def test_a_disk_that_only_reads(small_disk):
    subprocess.run(["mount", "-o", "remount,size=8m", small_disk], check=True)
    logs.both(small_disk / "run")
    whole = read.read(small_disk / "run")
    subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)
    assert read.read(small_disk / "run").moves.equals(whole.moves)
    with pytest.raises(LogError, match=r"Read-only file system.*a log needs a folder that you may write"):
        Log.open(small_disk / "run")


def contents(folder):
    return {path.relative_to(folder): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_the_file_names_its_format(tmp_path):
    logs.mixed(tmp_path)
    assert sqlite3.connect(tmp_path / "log.sqlite").execute("SELECT value FROM meta WHERE key = 'format'").fetchone() == (file.FORMAT,)


def test_the_store_needs_no_jax():
    code = "import sys, commonage.store.log, commonage.store.read; sys.exit('jax' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
