"""A fork that asks models pays as a study does; a table of all kinds of agents is replayed without asking anybody."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from served import served
from till import Till, till

from commonage import Study, event, fork, replay
from commonage.agents import remote
from commonage.errors import SpecError
from commonage.models import desk as desks
from commonage.run.result import Result
from commonage.store import read
from commonage.store.log import Log

DILEMMA = "dilemma(rounds=4)"
COST = 0.002  # of one reply


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(desks, "WAIT", 0.001)
    monkeypatch.setattr(remote, "WAIT", 0.001)


@pytest.fixture
def server() -> Iterator[Till]:
    with till() as server:
        yield server


def original() -> None:
    Study(DILEMMA, "tit_for_tat,random", repeats=1).run("run")


def forked(server: Till, out: str = "fork", at: int = 2, **limits: Any) -> Result:
    """From round 2 on a model sits in the first seat: three calls."""
    return fork("run", 1, at, out=out, seat={1: server.seat()}, limits=limits)


def replayed(folder: str, number: int = 1) -> None:
    again = replay(folder, number)
    assert again.differing == []
    assert again.steps == read.read(folder, matches=[number]).matches["steps"][0]


# what a fork pays


def test_calls_of_a_fork_are_in_its_log(server: Till) -> None:
    original()
    assert forked(server, budget=1).status == {"finished": 1}
    calls = read.calls("fork")
    assert calls.select("match", "step", "seat", "number").rows() == [(1, step, 0, 0) for step in (1, 2, 3)]
    assert len(server.seen) == 3
    with Log.open("fork") as log:
        assert log.spent()[:2] == (pytest.approx(3 * COST), 3 * 110)
    replayed("fork")
    assert len(server.seen) == 3


@pytest.mark.parametrize("limits", [None, {}, {"timeout": 9}])
def test_a_paid_seat_without_a_budget_is_refused(server: Till, limits: Any) -> None:
    original()
    with pytest.raises(SpecError, match=r"till: paid, and there is no budget, so nothing was sent\. Add one: --budget 2 is money"):
        fork("run", 1, 2, out="fork", seat={1: server.seat()}, limits=limits)
    assert (server.seen, Path("fork").exists()) == ([], False)


def test_a_member_of_a_team_pays_too(server: Till) -> None:
    original()
    with pytest.raises(SpecError, match="till: paid, and there is no budget"):
        fork("run", 1, 2, out="fork", seat={1: f"vote({server.seat()},grim)"})
    assert (server.seen, Path("fork").exists()) == ([], False)


@pytest.mark.parametrize("budget", ["0.045", "600tok"])
def test_at_the_end_of_its_budget_a_fork_pauses_and_a_larger_one_goes_on(server: Till, budget: str) -> None:
    """The whole takes three calls, however it is cut, and is the same."""
    original()
    paused = forked(server, budget=budget)
    before = len(server.seen)
    assert paused.status == {"paused": 1}
    assert f"budget {budget} reached" in paused.tables.matches["cause"][0]
    assert 0 < before < 3
    assert forked(server, budget=budget).status == {"paused": 1}  # what is spent is known
    assert len(server.seen) == before
    assert forked(server, budget=1).status == {"finished": 1}
    assert len(server.seen) == 3
    assert forked(server, "whole", cached_only=True).status == {"finished": 1}
    assert read.equal("fork", "whole") == []
    replayed("fork")


def test_a_fork_that_is_over_is_not_played_again(server: Till) -> None:
    original()
    forked(server, budget=1, cache=False)
    rows = read.events("fork")
    assert forked(server, budget=1, cache=False).status == {"finished": 1}
    assert len(server.seen) == 3
    assert read.events("fork").equals(rows)


def test_a_server_in_trouble_pauses_a_fork(server: Till) -> None:
    original()
    server.status = 503
    assert forked(server, budget=1).status == {"paused": 1}
    server.status = 200
    before = len(server.seen)
    assert forked(server, budget=1).status == {"finished": 1}
    assert len(server.seen) - before == 3
    replayed("fork")


def test_a_killed_fork_pays_for_no_answer_twice(server: Till) -> None:
    """Killed while the second request is on its way: that one is asked again, and no other."""
    original()
    program = f"from commonage import fork; fork('run', 1, 2, out='fork', seat={{1: {server.seat()!r}}}, limits=dict(budget=1))"
    child = subprocess.Popen([sys.executable, "-c", program])
    server.before = lambda count: os.kill(child.pid, signal.SIGKILL) if count == 2 else None
    assert child.wait(60) == -9
    server.before = lambda count: None
    assert len(server.seen) == 2
    assert forked(server, budget=1).status == {"finished": 1}
    assert len(server.seen) == 4
    assert server.seen[1] == server.seen[2]
    replayed("fork")


@pytest.mark.parametrize("memory", ["full", "recent(2)", "summary(1)", "faithful"])
def test_nothing_before_the_fork_is_asked_again(server: Till, memory: str) -> None:
    """What the model said before it still knows; the seat beside it is another's now."""
    seat = server.seat(more=f"price=[10,100],memory={memory}")
    Study(DILEMMA, [seat, "grim"], repeats=1, budget=1).run("run")
    before = len(server.seen)
    made = read.calls("run").filter(pl.col("step") >= 2).height
    fork("run", 1, 3, out="fork", seat={2: "cooperator"}, limits={"budget": 1, "cache": False})
    assert len(server.seen) - before == made
    assert read.calls("fork")["step"].min() == 2
    fork("run", 1, 3, out="same", limits={"cached_only": True})  # without a change it is the match itself: all in the cache
    assert len(server.seen) - before == made
    assert Result("same").status == {"finished": 1}
    replayed("fork")


def test_a_model_may_be_replaced_without_a_budget(server: Till) -> None:
    """Who is paid no more needs none."""
    Study(DILEMMA, [server.seat(), "grim"], repeats=1, budget=1).run("run")
    before = len(server.seen)
    assert fork("run", 1, 2, out="fork", seat={1: "defector"}).status == {"finished": 1}
    assert len(server.seen) == before
    assert read.calls("fork").height == 0


# how a fork ended


def test_a_fork_that_fails_says_so(tmp_path: Path) -> None:
    original()
    (tmp_path / "mine.py").write_text("def raises(view):\n    raise ValueError(f'round {view.round}')\n")
    result = fork("run", 1, 3, out="fork", seat={1: "python:mine.py:raises"})
    assert result.tables.matches.select("status", "where", "cause").row(0) == (
        "failed",
        "agent",
        'at "choose": mine.py:2: ValueError: round 3',
    )
    assert fork("run", 1, 3, out="fork", seat={1: "python:mine.py:raises"}).status == {"failed": 1}
    replayed("fork")


@pytest.mark.parametrize("runner", ["mixed", "compiled"])
@pytest.mark.parametrize(
    ("around", "change", "labels"),
    [
        (["punish"], {"mechanisms": ["punish(fine=1)"]}, {"punish", "punish#2"}),
        (["noise(rate=0.1)", "punish"], {"mechanisms": ["punish", "talk"]}, {"punish", "punish#2", "talk"}),
        (["punish", "punish"], {"without": ["punish"], "mechanisms": ["punish"]}, {"punish"}),
    ],
)
def test_another_layer_of_a_kind_that_is_there(runner: str, around: list[str], change: Any, labels: set[str]) -> None:
    """Each seat's part for punish answers to both."""
    seats = "cheat(low=1,high=4)+fine_overusers,sustainer+fine_overusers,constant(amount=2)"
    Study("commons(seats=3,rounds=4,capacity=60)", seats, around, repeats=1, runner=runner).run("run")
    assert fork("run", 1, 3, out="fork", **change).status == {"finished": 1}
    spent = [name for name in read.read("fork").moves.columns if name.endswith(".spent")]
    assert set(spent) >= {f"{label}.spent" for label in labels if label != "talk"}
    replayed("fork")


def test_inside_a_running_loop() -> None:
    """As in a notebook."""
    import asyncio

    original()

    async def cell() -> tuple[Any, list[int]]:
        return fork("run", 1, 2, out="fork", seat={1: "llm:fake"}).status, replay("fork", 1).differing

    assert asyncio.run(cell()) == ({"finished": 1}, [])


# all kinds of agents


def table(address: str) -> list[str]:
    """A policy, a model, a remote agent, a team and a person."""
    return ["conditional_cooperator", "llm:fake", address, "vote(free_rider,llm:fake,random)", "human"]


def gives(view: dict[str, Any]) -> dict[str, Any]:
    count = (view["memory"] or 0) + 1
    return {"text": f"My answer {count}.\n{view['amount'][0] + count}", "memory": count}


@pytest.fixture
def mixed(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[dict[str, Any]]]:
    """Two logs of the same study with them all; yields what the remote agent was asked."""
    asked: list[dict[str, Any]] = []
    with served(lambda view: asked.append(view) or gives(view)) as address:
        for folder in ("run", "again"):
            monkeypatch.setattr("sys.stdin", io.StringIO("2\n" * 20))
            study = Study("public_goods(seats=5,rounds=3)", table(address), ["noise(rate=0.2)"], repeats=2, seed=4)
            assert study.run(folder).status == {"finished": 2}
        asked.clear()
        monkeypatch.setattr("sys.stdin", io.StringIO())
        yield asked


def test_a_table_of_all_kinds_is_replayed_to_the_same_rewards(mixed: list[Any], capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    for number in (1, 2):
        logged = {row[0]: row[3].rewards for row in read.match("run", number) if isinstance(row[3], event.Stepped)}
        again = replay("run", number)
        assert {step: what.rewards for step, _, _, what in again.events if isinstance(what, event.Stepped)} == logged
        assert again.differing == []
        assert (again.steps, len(logged)) == (len(logged), 3)
    assert mixed == []
    assert capsys.readouterr() == ("", "")


def test_the_same_answers_give_the_same_events(mixed: list[Any]) -> None:
    assert read.calls("run").height == 2 * 3 * 2
    assert read.equal("run", "again") == []


def test_the_same_cached_answers_give_the_same_events(server: Till) -> None:
    """The second study asks for nothing; a changed answer would show."""
    seats = [server.seat(), f"vote({server.seat()},{server.seat()},grim)"]
    Study(DILEMMA, seats, repeats=2, budget=1).run("run")
    count = len(server.seen)
    Study(DILEMMA, seats, repeats=2, limits={"cached_only": True}).run("again")
    assert len(server.seen) == count
    assert read.equal("run", "again") == []
    Study(DILEMMA, seats, repeats=2, budget=1, limits={"cache": False}).run("afresh")  # numbers its replies onwards
    assert read.equal("run", "afresh")


def test_a_table_of_all_kinds_is_forked(mixed: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the last round is asked for; without a change it is the same one."""
    monkeypatch.setattr("sys.stdin", io.StringIO("2\n"))
    assert fork("run", 2, 3, out="fork").status == {"finished": 1}
    assert [view["round"] for view in mixed] == [3]
    assert read.calls("fork")["step"].to_list() == [2, 2]
    for name in ("seat", "move", "reward"):
        assert read.read("fork").moves[name].to_list() == read.read("run", matches=[2]).moves[name].to_list()
    replayed("fork")
