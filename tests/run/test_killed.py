"""`kill -9` of a real process that runs a study, at ten moments, the fast tests at four: resumed, it equals one that was never cut."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import killed
import pytest

from commonage import event
from commonage.agent import Answer, View
from commonage.run import study as studies
from commonage.store import read
from commonage.store.log import Log

# the moment, the place where the process hangs, and how often it has come there
MOMENTS = [
    ("inside a chunk write: the last file of the second", "chunk", 6),
    ("inside a commit: that of an answer", "commit", 25),
    ("inside a step: between two answers, later", "moved", 60),
    ("between two attempts of one seat", "asked", 3),
]
MORE = [
    ("before anything is in the log", "arm", 1),
    ("inside a chunk write: the first file of the first", "chunk", 1),
    ("inside a step: after the first of its answers", "moved", 2),
    ("after a seat retired", "failed", 1),
    ("after a match", "finished", 2),
    ("at the very end", "the end", 1),
]


def kill(folder: Path, place: str, count: int) -> None:
    """Starts the study in a process of its own, and kills it there."""
    arguments = [sys.executable, killed.__file__, str(folder), place, str(count)]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline().strip() == f"at {place} {count}"
        process.send_signal(signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL


@pytest.fixture
def chunked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(studies.arm, "CHUNK", killed.CHUNK)


def incomplete(folder: Path) -> list[tuple[int, int, int]]:
    """(match, step, answers) of the steps that were begun and not completed."""
    out = []
    for number in range(killed.REPEATS + 1, 2 * killed.REPEATS + 1):
        rows = read.match(folder, number)
        last = max((row[0] for row in rows if isinstance(row[3], event.Stepped)), default=-1)
        answers = sum(isinstance(row[3], event.Moved) for row in rows if row[0] > last)
        out += [(number, last + 1, answers)] if answers else []
    return out


@pytest.mark.parametrize("moments", [MOMENTS, pytest.param(MORE, marks=pytest.mark.slow)], ids=len)
def test_killed_and_resumed(tmp_path: Path, chunked: None, moments: list[tuple[str, str, int]]) -> None:
    """Several in one test, since the processes die two at a time."""
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda row: kill(tmp_path / row[0], *row[1:]), moments))
    killed.study().run(tmp_path / "whole")
    for moment, place, _ in moments:
        folder = tmp_path / moment
        there = read.read(folder).matches["status"].to_list() if place != "arm" else []
        cut = incomplete(folder)
        print(f"kill -9 {moment}: {there.count('finished')} of 10 matches finished; (match, step, answers) begun: {cut}")
        assert cut or "step" not in moment
        assert list(folder.rglob("*.tmp")) or place != "chunk"
        assert killed.study().run(folder).status == {"finished": 10}, moment
        assert read.equal(folder, tmp_path / "whole") == [], moment
        assert not list(folder.rglob("*.tmp"))


def test_the_study_has_everything_that_can_be_cut(tmp_path: Path, chunked: None) -> None:
    """So that the test above is not green for lack of talk, of answers asked again, of seats that retire."""
    killed.study().run(tmp_path)
    rows = [row[3] for number in range(6, 11) for row in read.match(tmp_path, number)]
    assert sum(isinstance(row, event.Asked) for row in rows) > 5
    assert sum(isinstance(row, event.Failed) and row.retired for row in rows) > 0
    assert sum(isinstance(row, event.Moved) and bool(row.says) for row in rows) > 20
    assert len(list(tmp_path.rglob("*.parquet"))) == 3 * 3


def test_answers_that_were_given_are_not_asked_for_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, chunked: None) -> None:
    """Nothing is paid twice: the log is cut at an answer, and only what is missing is asked for."""
    study, asked = killed.study(), []
    study.run(tmp_path / "whole")
    rows = read.match(tmp_path / "whole", 6)
    call = killed.Talks.__call__

    async def counted(self: killed.Talks, view: View) -> Answer:
        asked.append((view.step, view.seat, view.attempt))
        return await call(self, view)

    monkeypatch.setattr(killed.Talks, "__call__", counted)
    for cut in (5, len(rows) // 2, len(rows) - 3):
        asked.clear()
        folder = tmp_path / f"cut {cut}"
        with Log.create(folder, {"toml": study.toml()}) as log:
            for arm in study.built:
                log.arm(study.header(arm))
            for row in rows[:cut]:
                log.write(6, *row)
        with Log.open(folder) as log:
            arm = study.built[1]
            keys, orders = study.streams(arm.game)
            asyncio.run(studies.play_logged(log, 6, arm, keys[0], orders[0].tolist(), 0, "retire"))
            assert [repr(row) for row in log.events(6)] == [repr(row) for row in rows]
        known = {row[:3] for row in rows[:cut]}
        assert not known & set(asked)
