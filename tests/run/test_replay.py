"""A match is played again to the same rewards, whoever sat there, and forked: what if?"""

from __future__ import annotations

import io
import json
import shutil
import sqlite3
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from aiohttp import web
from polars.testing import assert_frame_equal
from served import served
from table import COMMONS, DILEMMA, Calls

from commonage import Arm, Study, event, fork, replay
from commonage.agent import Answer, View
from commonage.agents import remote
from commonage.agents.scripted import Scripted
from commonage.errors import LogError, SpecError
from commonage.run.transcript import transcript
from commonage.store import codec, read
from commonage.store.log import Log

SEATS = "cheat(low=1,high=6)+fine_overusers(notice=0.5),sustainer+fine_overusers,constant(amount=2)"
AROUND = ["noise(rate=0.2)", "punish"]


def whole(folder: Path, number: int, steps: int | None = None) -> None:
    """The match is replayed to its end without a difference."""
    again = replay(folder, number)
    assert again.differing == []
    logged = read.read(folder, matches=[number]).matches
    assert again.steps == logged["steps"][0] == (steps or again.steps)
    assert again.rounds == logged["rounds"][0]


# replay


@pytest.mark.parametrize("runner", ["mixed", "compiled"])
def test_policies(tmp_path: Path, runner: str) -> None:
    Study(COMMONS, SEATS, AROUND, repeats=4, runner=runner).run(tmp_path / "run")
    for number in range(1, 5):
        whole(tmp_path / "run", number)


@pytest.mark.parametrize("runner", ["mixed", "compiled"])
@pytest.mark.parametrize(
    "game", ["market(seats=3,rounds=4)", "donor(seats=4,rounds=4)", "coin_game(rounds=2,round_steps=3)", "ultimatum(rounds=2)"]
)
def test_other_games(tmp_path: Path, runner: str, game: str) -> None:
    """Floats may be fused otherwise in a batch: then 1e-5 is equal."""
    from commonage import spec

    Study(game, f"random*{spec.game(game).seats}", repeats=3, runner=runner).run(tmp_path / "run")
    whole(tmp_path / "run", 3)


def test_the_second_arm(tmp_path: Path) -> None:
    Study(arms=[Arm(DILEMMA, "grim*2"), Arm(DILEMMA, "random*2"), Arm(DILEMMA, "vote(random,grim,joss),random")], repeats=2).run(
        tmp_path / "run"
    )
    for number in (1, 3, 4, 5, 6):
        whole(tmp_path / "run", number)


@pytest.mark.parametrize("number", [0, 3, -1])
def test_no_such_match(tmp_path: Path, number: int) -> None:
    Study(DILEMMA, "grim*2", repeats=2).run(tmp_path / "run")
    with pytest.raises(LogError, match=f"no match {number} in .*; matches count from 1"):
        replay(tmp_path / "run", number)
    with pytest.raises(LogError, match="no log in"):
        replay(tmp_path / "nowhere", 1)


def test_a_team(tmp_path: Path) -> None:
    Study(DILEMMA, "vote(gradual,random,memory_one(p=[1,0.5,0.5,0.5,0.5])),joss", repeats=2).run(tmp_path / "run")
    whole(tmp_path / "run", 2, 4)


MODULE = """
calls = []

def count(view):
    calls.append(view.step)
    return ("defect" if len(calls) % 2 else "cooperate")

async def later(view):
    return f"I say:\\n{view.options[-1]}"
"""


def test_functions_are_not_called_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What cannot be computed again, like a function that remembers, is read from the log."""
    (tmp_path / "mine.py").write_text(MODULE)
    monkeypatch.chdir(tmp_path)
    Study(DILEMMA, "python:mine.py:count,python:mine.py:later", repeats=1).run(tmp_path / "run")
    from commonage.find import load

    module = load((tmp_path / "mine.py").resolve())
    asked = list(module.calls)
    assert len(asked) == 4
    whole(tmp_path / "run", 1, 4)
    assert module.calls == asked
    (tmp_path / "mine.py").unlink()  # not even needed
    load.cache_clear()
    whole(tmp_path / "run", 1, 4)


def test_objects_of_another_program(tmp_path: Path) -> None:
    """Their class is gone; their moves are in the log."""
    Study(DILEMMA, [Scripted("cooperate", "defect"), lambda view: view.round % 2], repeats=1).run(tmp_path / "run")
    whole(tmp_path / "run", 1, 4)


def test_a_person(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("cooperate\nwhat?\ndefect\n\ndefect\nDefect.\n"))
    Study(DILEMMA, "human,tit_for_tat", repeats=1).run(tmp_path / "run")
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("You are seat") == 1  # the rules once
    assert "choose? cooperate | defect" in err
    assert err.count("Sorry") == 2
    moves = read.read(tmp_path / "run").moves.filter(pl.col("seat") == 0)["choice"].to_list()
    assert moves == ["cooperate", "defect", "defect", "defect"]
    monkeypatch.setattr("sys.stdin", io.StringIO())
    whole(tmp_path / "run", 1, 4)
    assert capsys.readouterr() == ("", "")


def test_a_person_who_leaves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for text in ("cooperate\n quit \n", "cooperate\n"):
        monkeypatch.setattr("sys.stdin", io.StringIO(text))
        folder = tmp_path / str(len(text))
        result = Study(DILEMMA, "human,tit_for_tat", repeats=1).run(folder)
        assert result.tables.matches.select("status", "where", "cause").row(0) == ("failed", "person", 'at "choose": the person left')
        monkeypatch.setattr("sys.stdin", io.StringIO("defect\n" * 9))
        whole(folder, 1, 1)


def test_two_persons_at_one_terminal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """One after the other, though both are asked at once."""
    monkeypatch.setattr("sys.stdin", io.StringIO("in words: hi\nnothing\ncooperate\ndefect\n"))
    Study("dilemma(rounds=1)", ["human(name=Ann)", "human(name=Bo)"], ["talk"], repeats=1).run(tmp_path / "run")
    err = capsys.readouterr().err
    assert all(f"You are {name}, seat" in err for name in ("Ann", "Bo"))
    assert "in words: ..." in err
    assert err.count("said: 'hi'") == 1
    assert err.count("> ") == 4
    whole(tmp_path / "run", 1, 2)


# a remote agent


def test_a_remote_agent(tmp_path: Path) -> None:
    """It gets the View as JSON, its memory comes back, and nothing is sent when its match is replayed."""
    views: list[dict[str, Any]] = []

    def reply(view: dict[str, Any]) -> dict[str, Any]:
        views.append(view)
        count = (view["memory"] or {"count": 0})["count"] + 1
        options = view["options"][2:] if view["question"]["speech"] else view["options"]
        return {"text": f"Round {view['round']}.\n{options[count % 2]}", "memory": {"count": count}}

    with served(reply) as address:
        Study(DILEMMA, f"{address},tit_for_tat", ["talk"], repeats=2).run(tmp_path / "run")
        assert len(views) == 2 * 8
        assert set(views[0]) == {
            "seat", "round", "step", "rules", "facts", "question", "options", "amount", "heard", "memory", "attempt", "problem",
        }  # fmt: skip
        for number in (1, 2):
            whole(tmp_path / "run", number, 8)
        assert len(views) == 2 * 8
    whole(tmp_path / "run", 1, 8)  # nor is it needed


@pytest.mark.parametrize(
    ("reply", "status", "cause"),
    [
        (lambda view: {"text": "banana"}, "failed", "the last line was 'banana'"),
        (lambda view: {"refused": "I do not play"}, "failed", "I do not play"),
        (lambda view: {"text": ""}, "failed", "the answer was empty"),
        (lambda view: {"text": 3}, "failed", "the last line was '3'"),
        (lambda view: web.Response(status=503), "paused", "status 503"),
    ],
)
def test_what_a_remote_agent_may_get_wrong(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, reply: Any, status: str, cause: str) -> None:
    """An answer that is none is its failure; trouble on the way is nobody's, and the match resumes."""
    monkeypatch.setattr(remote, "WAIT", 0.001)
    with served(reply) as address:
        study = Study(DILEMMA, f"{address},tit_for_tat", repeats=1)
        result = study.run(tmp_path / "run")
        row = result.tables.matches.row(0, named=True)
        assert row["status"] == status
        assert cause in row["cause"]
    whole(tmp_path / "run", 1, 0)


def test_a_remote_agent_that_recovers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote, "WAIT", 0.001)
    broken, asked = [3, 4, 5, 6, 7, 8], []

    def reply(view: dict[str, Any]) -> Any:
        asked.append(view["step"])
        return web.Response(status=500) if len(asked) in broken else {"text": "defect"}

    with served(reply) as address:
        study = Study(DILEMMA, f"{address},tit_for_tat", repeats=1)
        assert study.run(tmp_path / "run").status == {"paused": 1}
        assert asked == [0, 1, *[2] * 4]
        assert study.run(tmp_path / "run").status == {"finished": 1}
        assert asked == [0, 1, *[2] * 7, 3]


def test_nobody_listens(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote, "WAIT", 0.001)
    with served(lambda view: {}) as address:
        pass
    result = Study(DILEMMA, f"{address},tit_for_tat", repeats=1).run(tmp_path / "run")
    assert result.status == {"paused": 1}
    assert "Cannot connect" in result.tables.matches["cause"][0]


# a log that was changed


def edited(folder: Path, match: int, step: int, seat: int, body: str) -> None:
    """Another move in its place, with the right checksum: as one who knows how would do it."""
    with sqlite3.connect(folder / "log.sqlite") as file:
        seal = codec.seal(body, match, step, seat)
        change = "UPDATE events SET body = ?, seal = ? WHERE match = ? AND step = ? AND seat = ? AND kind = 'moved'"
        assert file.execute(change, (body, seal, match, step, seat)).rowcount == 1
    file.close()


def test_another_move_in_the_log_is_found(tmp_path: Path) -> None:
    Study(DILEMMA, "tit_for_tat,random", repeats=1, runner="mixed").run(tmp_path / "run")
    before = read.read(tmp_path / "run").moves.filter(pl.col("seat") == 1)["move"].to_list()
    edited(tmp_path / "run", 1, 2, 1, json.dumps({"question": 0, "move": 1 - before[2]}, separators=(",", ":")))
    assert replay(tmp_path / "run", 1).differing == [2]


def test_another_move_of_somebody_else_shows_in_the_rewards(tmp_path: Path) -> None:
    Study(DILEMMA, [Calls(lambda view: "cooperate"), "tit_for_tat"], repeats=1).run(tmp_path / "run")
    edited(tmp_path / "run", 1, 1, 0, '{"question":0,"move":1,"text":"cooperate"}')
    assert replay(tmp_path / "run", 1).differing == [1, 2]  # its reward, and what tit for tat does next


def test_a_byte_in_the_log_is_refused(tmp_path: Path) -> None:
    Study(DILEMMA, "tit_for_tat,random", repeats=1, runner="mixed").run(tmp_path / "run")
    with sqlite3.connect(tmp_path / "run" / "log.sqlite") as file:
        file.execute("UPDATE events SET body = replace(body, 'move', 'mode') WHERE step = 2 AND seat = 1")
    file.close()
    with pytest.raises(LogError, match="match 1, step 2, seat 1: the event 'moved' is not as it was written"):
        replay(tmp_path / "run", 1)


def test_a_byte_in_a_chunk_is_refused(tmp_path: Path) -> None:
    Study(DILEMMA, "tit_for_tat,random", repeats=2).run(tmp_path / "run")
    (chunk,) = (tmp_path / "run").glob("*/*.moves.parquet")
    data = bytearray(chunk.read_bytes())
    data[len(data) // 2] ^= 1
    chunk.write_bytes(data)
    with pytest.raises(LogError, match=r"moves.parquet is damaged"):
        replay(tmp_path / "run", 1)


# matches that did not finish


def test_a_match_that_was_cut_short(tmp_path: Path) -> None:
    """Its log is cut after every event: what is left is replayed as far as it goes, and nobody is asked."""
    agent = Calls(lambda view: "nobody" if view.question.name == "fine whom" else "3" if view.attempt or view.round != 2 else "banana")
    study = Study(COMMONS, [agent, "sustainer", Calls(lambda view: view.options[0])], ["punish"], repeats=1)
    study.run(tmp_path / "run")
    rows = read.match(tmp_path / "run", 1)
    asked = len(agent.views)
    for cut in range(1, len(rows), 4):
        folder = tmp_path / str(cut)
        with Log.create(folder, {"toml": study.toml()}) as log:
            log.arm(study.header(study.built[0]))
            for row in rows[:cut]:
                log.write(1, *row)
        again = replay(folder, 1)
        assert again.differing == []
        assert again.steps == sum(isinstance(row[3], event.Stepped) for row in rows[:cut])
    assert len(agent.views) == asked


def test_a_seat_that_retired(tmp_path: Path) -> None:
    agent = Calls(lambda view: "3" if view.round == 1 else "banana")
    Study(COMMONS, [agent, "sustainer", "constant(amount=2)"], repeats=1, on_failure="retire").run(tmp_path / "run")
    whole(tmp_path / "run", 1, 4)
    assert len(agent.views) == 4


# forks


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Match 1-3 compiled, 4-6 mixed: the same matches."""
    folder = tmp_path_factory.mktemp("played") / "run"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Study, "_build", _second_mixed(Study._build))
        Study(arms=[Arm(COMMONS, SEATS, ["punish"])] * 2, repeats=3).run(folder)
    return folder


def _second_mixed(build: Any) -> Any:
    return lambda self, number, arm: build(self, number, arm)._replace(compiled=number == 0)


def moves(folder: Path, number: int) -> pl.DataFrame:
    found = read.read(folder, matches=[number])
    rows = found.moves.join(found.steps.select("step", "stock"), on="step").sort("step", "seat")
    return rows.select("step", "round", "seat", "place", "question", "move", "choice", "reward", "deed", "stock", "caught")


def before(frame: pl.DataFrame, at: int) -> pl.DataFrame:
    return frame.filter(pl.col("round") < at)


@pytest.mark.parametrize("number", [2, 5])
@pytest.mark.parametrize("at", [1, 2, 4])
def test_a_fork_without_a_change_is_the_match_itself(played: Path, tmp_path: Path, number: int, at: int) -> None:
    fork(played, number, at, out=tmp_path / "fork")
    assert_frame_equal(moves(tmp_path / "fork", 1), moves(played, number), rel_tol=1e-5)
    whole(tmp_path / "fork", 1)


@pytest.mark.parametrize("number", [1, 4])
def test_without_a_mechanism(played: Path, tmp_path: Path, number: int) -> None:
    fork(played, number, 3, out=tmp_path / "fork", without=["punish"])
    old, new = moves(played, number), moves(tmp_path / "fork", 1)
    assert_frame_equal(before(new, 3), before(old, 3), rel_tol=1e-5)
    questions = new.filter(pl.col("round") >= 3)["question"].drop_nulls().cast(pl.String).unique().to_list()
    assert questions == ["harvest"]
    assert set(before(new, 3)["question"].drop_nulls().cast(pl.String)) == {"harvest", "fine whom", "units"} & set(
        old["question"].cast(pl.String)
    )
    whole(tmp_path / "fork", 1)


@pytest.mark.parametrize("number", [1, 4])
def test_with_another_mechanism(played: Path, tmp_path: Path, number: int) -> None:
    fork(played, number, 2, out=tmp_path / "fork", mechanisms=["talk", "noise(rate=1)"])
    old, new = moves(played, number), moves(tmp_path / "fork", 1)
    assert_frame_equal(before(new, 2), before(old, 2), rel_tol=1e-5)
    assert "say" in new.filter(pl.col("round") >= 2)["question"].cast(pl.String).to_list()
    assert read.read(tmp_path / "fork").arms[0]["spec"]["with"] == ["talk", "noise(rate=1)", "punish"]
    whole(tmp_path / "fork", 1)


@pytest.mark.filterwarnings("ignore:.* is idle")
def test_with_a_mechanism_that_the_seats_have_parts_for(tmp_path: Path) -> None:
    """They meet it in round 3 for the first time."""
    seats = "constant(amount=2)+fine_overusers+signer+pledger*3"
    for runner in ("mixed", "compiled"):
        Study(COMMONS, seats, repeats=1, runner=runner).run(tmp_path / runner)
        fork(tmp_path / runner, 1, 3, out=tmp_path / f"{runner} fork", mechanisms=["punish", "contract", "talk"])
        asked = set(read.read(tmp_path / f"{runner} fork").moves.filter(pl.col("round") >= 3)["question"].cast(pl.String))
        assert asked >= {"harvest", "fine whom", "propose", "say"}
        whole(tmp_path / f"{runner} fork", 1)


def test_with_another_parameter(played: Path, tmp_path: Path) -> None:
    fork(played, 4, 3, out=tmp_path / "fork", sets={"cost": 0, "growth": 1})
    old, new = moves(played, 4), moves(tmp_path / "fork", 1)
    assert_frame_equal(before(new, 3), before(old, 3))
    assert new["stock"].to_list()[-1] < old["stock"].to_list()[-1]  # nothing grows back
    whole(tmp_path / "fork", 1)


@pytest.mark.parametrize("number", [3, 6])
def test_with_another_player(played: Path, tmp_path: Path, number: int) -> None:
    fork(played, number, 3, out=tmp_path / "fork", seat={3: "greedy"})
    old, new = moves(played, number), moves(tmp_path / "fork", 1)
    assert_frame_equal(before(new, 3), before(old, 3), rel_tol=1e-5)
    mine = new.filter((pl.col("seat") == 2) & (pl.col("round") == 3) & (pl.col("question").cast(pl.String) == "harvest"))
    assert mine["move"][0] >= 10  # all that there is; and so it ends
    assert read.read(tmp_path / "fork").matches["ended"][0]
    whole(tmp_path / "fork", 1)


def test_a_successor_has_watched_from_its_place(tmp_path: Path) -> None:
    """Forked at round 3, grim knows that the other defected in round 1; one who sits there from the start does the same."""
    Study("dilemma(rounds=5)", "scripted([cooperate]),scripted([defect,cooperate])", repeats=1).run(tmp_path / "run")
    fork(tmp_path / "run", 1, 3, out=tmp_path / "fork", seat={1: "grim"})
    assert read.read(tmp_path / "fork").moves.filter(pl.col("seat") == 0)["move"].to_list() == [0, 0, 1, 1, 1]
    whole(tmp_path / "fork", 1)


def test_a_successor_gets_nobody_elses_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "mine.py").write_text(
        "from commonage.agent import Answer\n"
        "def count(view):\n    return Answer(0, memory={'private': view.round})\n"
        "def other(view):\n    assert view.memory in (None, 'mine')\n    return Answer(1, memory='mine')\n"
    )
    monkeypatch.chdir(tmp_path)
    Study(DILEMMA, "python:mine.py:count,grim", repeats=1).run(tmp_path / "run")
    for i, who in enumerate(["python:mine.py:other", "vote(grim,defector,defector)", "human"]):
        monkeypatch.setattr("sys.stdin", io.StringIO("defect\n" * 2))
        fork(tmp_path / "run", 1, 3, out=tmp_path / str(i), seat={1: who})
        found = read.read(tmp_path / str(i))
        assert found.matches["status"].to_list() == ["finished"]
        assert found.moves.filter(pl.col("seat") == 0)["move"].to_list() == [0, 0, 1, 1]
        whole(tmp_path / str(i), 1)
    kept = fork(tmp_path / "run", 1, 3, out=tmp_path / "kept", without=[])
    assert kept.status == {"finished": 1}
    memories = [row[3].memory for row in read.match(tmp_path / "kept", 1) if isinstance(row[3], event.Moved) and row[1] == 0]
    assert memories == [{"private": i} for i in (1, 2, 3, 4)]


def test_nothing_before_the_fork_is_asked_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []

    def reply(view: dict[str, Any]) -> dict[str, Any]:
        asked.append(view["round"])
        return {"text": "defect", "memory": view["round"]}

    with served(reply) as address:
        Study(DILEMMA, f"{address},tit_for_tat", repeats=1).run(tmp_path / "run")
        asked.clear()
        fork(tmp_path / "run", 1, 3, out=tmp_path / "fork", seat={2: "cooperator"})
        assert asked == [3, 4]
        whole(tmp_path / "fork", 1)
        assert asked == [3, 4]


def test_two_layers_of_one_name(tmp_path: Path) -> None:
    """Their questions have one name; the right one's options are shown."""
    around = ["talk(signals=[outer])", "talk(signals=[inner,innermost])"]
    seats = "scripted([innermost,outer,cooperate])*2"
    Study("dilemma(rounds=1)", seats.replace("innermost,outer", "outer,innermost"), around, repeats=1).run(tmp_path / "run")
    choices = moves_of(tmp_path / "run", 1)
    assert choices == ["outer", "innermost", "cooperate"]
    whole(tmp_path / "run", 1)
    fork(tmp_path / "run", 1, 1, out=tmp_path / "fork")
    assert moves_of(tmp_path / "fork", 1) == choices


def moves_of(folder: Path, number: int) -> list[str]:
    found = read.read(folder, matches=[number]).moves
    return found.filter(pl.col("seat") == 0).sort("step")["choice"].cast(pl.String).to_list()


def test_two_talks_of_a_compiled_match(tmp_path: Path) -> None:
    around = ["talk(signals=[outer,outermost])", "talk(signals=[inner,innermost])"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("commonage.policies.pledger.Pledger.act", lambda self, key, memory, sight, legal: (legal.nth(3), memory))
        Study("dilemma(rounds=2)", "grim+pledger*2", around, repeats=1).run(tmp_path / "run")
        choices = moves_of(tmp_path / "run", 1)
        assert choices[:2] == ["outermost", "innermost"]
        fork(tmp_path / "run", 1, 2, out=tmp_path / "fork")
        assert moves_of(tmp_path / "fork", 1) == choices


@pytest.mark.parametrize(
    ("at", "change", "says"),
    [
        (0, {}, "--fork-at 0: rounds count from 1 to 4"),
        (5, {}, "--fork-at 5: rounds count from 1 to 4"),
        (2, {"without": ["talk"]}, "--without talk: match 4 has no such mechanism; it has punish"),
        (2, {"seat": {4: "greedy"}}, "--seat 4=greedy: seats count from 1 to 3"),
        (2, {"seat": {0: "greedy"}}, "--seat 0=greedy: seats count from 1 to 3"),
        (2, {"seat": {1: "gredy"}}, "did you mean 'greedy'?"),
        (2, {"seat": {1: "greedy*2"}}, "--seat 1=greedy*2: one player, not 2"),
        (2, {"sets": {"capcity": 3}}, "did you mean 'capacity'?"),
        (2, {"mechanisms": ["tolk"]}, "did you mean 'talk'?"),
    ],
)
def test_a_fork_that_is_wrong(played: Path, tmp_path: Path, at: int, change: dict[str, Any], says: str) -> None:
    with pytest.raises(SpecError) as raised:
        fork(played, 4, at, out=tmp_path / "fork", **change)
    assert says in str(raised.value)
    assert not (tmp_path / "fork").exists()


def test_a_fork_after_the_end(tmp_path: Path) -> None:
    """The lake is empty after the first month: there is no third."""
    Study(COMMONS, "greedy*3", repeats=1).run(tmp_path / "run")
    with pytest.raises(SpecError, match="--fork-at 3: match 1 was over after 1 round"):
        fork(tmp_path / "run", 1, 3, out=tmp_path / "fork")
    fork(tmp_path / "run", 1, 1, out=tmp_path / "fork", seat={1: "sustainer", 2: "sustainer", 3: "sustainer"})
    assert read.read(tmp_path / "fork").matches["rounds"][0] == 4


def test_a_fork_of_a_fork(played: Path, tmp_path: Path) -> None:
    fork(played, 4, 2, out=tmp_path / "fork", without=["punish"])
    with pytest.raises(SpecError, match=r"match 1 of .*fork is a fork itself; fork the match that it came from"):
        fork(tmp_path / "fork", 1, 3, out=tmp_path / "again")
    assert not (tmp_path / "again").exists()


def test_the_original_is_not_touched(played: Path, tmp_path: Path) -> None:
    files = {path: path.read_bytes() for path in played.rglob("*") if path.is_file() and not path.name.endswith(("-shm", "-wal"))}
    fork(played, 4, 2, out=tmp_path / "fork", without=["punish"])
    assert {path: path.read_bytes() for path in files} == files


def test_a_fork_names_the_question_at_which_a_seat_had_retired(tmp_path: Path) -> None:
    """Its list of questions begins with its own, and it has no talk."""
    Study(COMMONS, "scripted(banana),sustainer*2", ["talk"], repeats=1, on_failure="retire").run(tmp_path / "run")
    fork(tmp_path / "run", 1, 2, out=tmp_path / "fork", without=["talk"])
    for folder in ("run", "fork"):
        assert "FAILED (agent) at \"say\": the last line was 'banana'" in transcript(tmp_path / folder, 1)
        assert read.read(tmp_path / folder).matches["cause"][0].startswith('at "say": ')


def test_a_fork_of_a_match_that_failed(tmp_path: Path) -> None:
    """What if somebody else had sat there?"""
    agent = Calls(lambda view: "banana" if view.round == 3 else "cooperate")
    Study(DILEMMA, [agent, "grim"], repeats=1).run(tmp_path / "run")
    with pytest.raises(SpecError, match="no agent 'Calls'"):
        fork(tmp_path / "run", 1, 3, out=tmp_path / "none")
    fork(tmp_path / "run", 1, 3, out=tmp_path / "fork", seat={1: "defector"})
    assert read.read(tmp_path / "fork").moves.filter(pl.col("seat") == 0)["move"].to_list() == [0, 0, 1, 1]
    whole(tmp_path / "fork", 1, 4)


def test_a_fork_moved_elsewhere_is_still_whole(played: Path, tmp_path: Path) -> None:
    """It holds its own past."""
    copy = shutil.copytree(played, tmp_path / "copy")
    fork(copy, 5, 3, out=tmp_path / "fork", without=["punish"])
    shutil.rmtree(copy)
    whole(tmp_path / "fork", 1)
    assert "FAILED" not in transcript(tmp_path / "fork", 1)


# in words


def test_a_transcript(tmp_path: Path) -> None:
    def answer(view: View) -> Any:
        if view.question.speech:
            return "in words: let us share"
        return "banana" if view.round == 2 and not view.attempt else "2"

    Study(COMMONS, [Calls(answer), "sustainer", "greedy"], ["talk"], repeats=2, seed=3).run(tmp_path / "run")
    text = transcript(tmp_path / "run", 2)
    found = read.read(tmp_path / "run", matches=[2])
    place = found.matches["order"][0].to_list().index(0) + 1
    assert text.startswith(f"Match 2: {COMMONS} with talk; repeat 2, seed 3")
    assert f"seat {place}: Calls" in text
    assert f"seat {place} say: in words: 'let us share'" in text
    assert text.count("3 people share a lake") == 1
    assert "Finished after" in text or "it all ends" in text


def test_a_transcript_tells_what_went_wrong(tmp_path: Path) -> None:
    agent = Calls(lambda view: "banana" if view.round == 2 else "cooperate")
    Study(DILEMMA, [agent, "grim"], repeats=1).run(tmp_path / "run")
    asked = len(agent.views)
    text = transcript(tmp_path / "run", 1)
    assert text.count("answered 'banana' at \"choose\": asked again") == 2
    assert "FAILED (agent) at \"choose\": the last line was 'banana'" in text
    cause = read.read(tmp_path / "run").matches["cause"][0]
    assert cause.startswith("at \"choose\": the last line was 'banana'")
    assert len(agent.views) == asked


def test_a_transcript_of_a_refusal(tmp_path: Path) -> None:
    Study(DILEMMA, [Calls(lambda view: Answer(refused="no, thank you")), "grim"], repeats=1).run(tmp_path / "run")
    assert 'FAILED (agent) at "choose": no, thank you' in transcript(tmp_path / "run", 1)


@pytest.mark.parametrize("number", [1, 4])
def test_transcripts_of_both_runners_are_equal(played: Path, number: int) -> None:
    text = transcript(played, number)
    assert "fine whom" in text
    assert text.partition(";")[2].replace(f"match {number}", "") == transcript(played, 5 - number).partition(";")[2].replace(
        f"match {5 - number}", ""
    )


@pytest.mark.parametrize(
    ("game", "seats", "changed"),
    [
        ("coins(height=5,width=5,rounds=2,round_steps=3)", "coin_matcher,coin_grabber", {"height": 6}),
        ("harvest(seats=2,rounds=2,round_steps=3)", "random*2", {"map": "harvest_closed"}),
        ("coin_game(rounds=2)", "random*2", {"size": 4}),
        ("kitchen(rounds=2,round_steps=3)", "random*2", {"layout": "coordination_ring"}),
    ],
)
def test_a_fork_cannot_change_the_world(game, seats, changed, tmp_path):
    """The state was laid out by it: on another map players would stand in walls."""
    Study(game, seats, repeats=1).run(tmp_path / "log")
    (field,) = changed
    with pytest.raises(SpecError, match=f"--set {field}=.*the match was begun with"):
        fork(tmp_path / "log", 1, 2, out=tmp_path / "fork", sets=changed)
    assert not (tmp_path / "fork").exists()
