"""`kill -9` of a real writer: nothing flushed is lost, nothing is corrupt, and what goes on ends equal to what was never cut."""

import signal
import subprocess
import sys

import logs
import pytest

from commonage.event import TABLE
from commonage.store.log import Log
from commonage.store.read import equal, read

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
    flushed = [tuple(map(int, words.split()[1:])) for words in said if words.startswith("flushed")]
    matches = {match for match, _ in flushed}
    assert {match: sorted({row[0] for row in logs_of(folder, match) if row[1] == TABLE}) for match in matches} == {
        match: sorted(step for other, step in flushed if other == match) for match in matches
    }  # all that was flushed, and nothing of the rest
    assert read(folder, arms=[1]).matches["match"].to_list() == [4, 5] * ("chunk 0" in said) + [6] * ("chunk 1" in said)
    logs.both(folder)
    assert equal(folder, whole) == []
    assert not list(folder.rglob("*.tmp"))


def logs_of(folder, match):
    """The events of a match, from a reader that came before the next writer."""
    from commonage.store.read import match as read_match

    return read_match(folder, match)


def test_a_hard_life(whole, tmp_path):
    """Killed again and again, at every third line that it says, until it has nothing left to do."""
    folder, lives = tmp_path / "run", 0
    while True:
        said = []
        with subprocess.Popen([sys.executable, logs.__file__, str(folder)], stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            while len(said) < 7 and "done" not in said:
                said.append(process.stdout.readline().strip())
            process.kill()
        lives += 1
        if "done" in said:
            break
    assert lives >= 2
    assert equal(folder, whole) == []


def test_a_killed_writer_leaves_no_lock(tmp_path):
    killed(tmp_path / "run", "flushed 1 0", None)
    with Log.open(tmp_path / "run") as log:
        assert log.status() == {1: "open"}
