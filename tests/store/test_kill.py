"""`kill -9` of a real writer: nothing flushed is lost, nothing is corrupt, and what goes on ends equal to what was never cut."""

import signal
import subprocess
import sys

import logs
import pytest

from commonage.event import TABLE
from commonage.store.log import Log
from commonage.store.read import equal, read
from commonage.store.read import match as events_of

# (the words that the writer says, at which it is killed, the point where it hangs)
MOMENTS = [
    ("before the first flush", "at commit", ("commit", 1)),
    ("after the first flush", "flushed 1 -1", None),
    ("between two steps", "flushed 1 2", None),
    ("at the end of a match", "flushed 2 4", None),
    ("inside a commit", "at commit", ("commit", 3)),
    ("inside the last commit of a match", "at commit", ("commit", 6)),
    ("inside a chunk write: its first file", "at chunk", ("chunk", 1)),
    ("inside a chunk write: its second file", "at chunk", ("chunk", 2)),
    ("inside a chunk write: its third file", "at chunk", ("chunk", 3)),
    ("after the first chunk", "chunk 0", None),
    ("inside the second chunk", "at chunk", ("chunk", 6)),
    ("at the very end, before the log is closed", "done", None),
]


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    return logs.both(tmp_path_factory.mktemp("whole") / "run")


def killed(folder, line, hang):
    """What a writer said until it was killed at `line`."""
    arguments = [sys.executable, logs.__file__, str(folder), *map(str, hang or ())]
    said = []
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        while not said or said[-1] != line:
            said.append(process.stdout.readline().strip())
            assert said[-1], f"the writer ended early: {said}"
        process.send_signal(signal.SIGKILL)
        process.wait()
    return said


@pytest.mark.parametrize(("moment", "line", "hang"), MOMENTS, ids=[moment for moment, *_ in MOMENTS])
def test_killed_and_resumed(whole, tmp_path, moment, line, hang):
    print(f"kill -9 {moment}: {line!r}")
    folder = tmp_path / "run"
    said = killed(folder, line, hang)
    left = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file() and not path.name.endswith("-shm")}
    for match in (1, 2, 3):
        flushed = [int(words.split()[2]) for words in said if words.startswith(f"flushed {match} ")]
        there = sorted({row[0] for row in events_of(folder, match) if row[1] == TABLE})
        assert there[: len(flushed)] == flushed  # all that was flushed,
        assert there == flushed or not hang  # and nothing of the rest
    chunks = read(folder, arms=[1]).matches["match"].to_list()
    assert chunks == [4, 5] * ("chunk 0" in said) + [6] * ("chunk 1" in said) or not hang
    assert {path: path.read_bytes() for path in left} == left  # a reader touches nothing
    logs.both(folder)
    assert equal(folder, whole) == []
    assert not list(folder.rglob("*.tmp"))


def test_a_hard_life(whole, tmp_path):
    """Killed again and again, whenever it has said seven things, until it has nothing left to do."""
    folder, lives, said = tmp_path / "run", 0, []
    while "done" not in said:
        said = []
        with subprocess.Popen([sys.executable, logs.__file__, str(folder)], stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            while len(said) < 7 and "done" not in said:
                said.append(process.stdout.readline().strip())
            process.kill()
        lives += 1
    assert lives >= 2
    assert equal(folder, whole) == []


def test_a_killed_writer_leaves_no_lock(tmp_path):
    killed(tmp_path / "run", "flushed 1 0", None)
    with Log.open(tmp_path / "run") as log:
        assert set(log.status()) >= {1}
