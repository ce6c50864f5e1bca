"""PettingZoo's environments as games: its own rock, paper, scissors, and one that is awkward in every way."""

from __future__ import annotations

import asyncio
import itertools
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import jax
import meadow
import numpy as np
import pettingzoo
import pytest

import commonage
from commonage import Study, event, fork, replay, seeds, spec, testing
from commonage.errors import SpecError
from commonage.games.pettingzoo import Pettingzoo, from_pettingzoo
from commonage.learn import rollout
from commonage.learn.score import score
from commonage.policies.random import Random
from commonage.run import match, seats

ROCK, PAPER, SCISSORS = range(3)
RPS = Pettingzoo("classic/rps-v2", "max_cycles=4", actions=("rock", "paper", "scissors"), about="Rock, paper, scissors.")


class Played:
    """One match: what was moved, rewarded and asked."""

    def __init__(self, game: Any, *places: str) -> None:
        rows: list[Any] = []
        agents = [seats.agent(spec.seats(place)[0], game) for place in places]
        self.outcome = asyncio.run(match.play(game, agents, seeds.root(1), lambda *row: rows.append(row)))
        self.moves = {(step, seat): what.move for step, seat, _, what in rows if isinstance(what, event.Moved)}
        self.questions = {(step, seat): what.question for step, seat, _, what in rows if isinstance(what, event.Moved)}
        self.steps = [what for *_, what in rows if isinstance(what, event.Stepped)]
        self.rewards = [step.rewards for step in self.steps]


def test_rock_paper_scissors() -> None:
    played = Played(RPS, "scripted([rock,paper,scissors,rock])", "scripted([scissors,scissors,scissors,rock])")
    assert played.outcome.status == "finished"
    assert played.rewards == [[1, -1], [-1, 1], [0, 0], [0, 0]]
    assert [(step.ended, step.truncated) for step in played.steps] == [(False, False)] * 3 + [(False, True)]


def test_it_is_the_match_that_the_environment_plays() -> None:
    played = Played(RPS, "random", "random")
    env: Any = pettingzoo.make("parallel", "classic/rps-v2", max_cycles=4)
    env.reset(seed=0)
    for step, rewards in enumerate(played.rewards):
        told = env.step({agent: played.moves[step, seat] for seat, agent in enumerate(env.agents)})[1]
        assert list(told.values()) == rewards
    assert not env.agents


def test_in_words() -> None:
    state = RPS.start(seeds.root(0))
    assert RPS.rules(1) == (
        "Rock, paper, scissors. 2 players act all at the same time. You are player_1. In each step you choose one of 3 actions: rock, "
        "paper, scissors. There are at most 1000 steps."
    )
    assert RPS.tell(state, 0) == "Step 1. You observe 3."  # nothing yet
    turn = RPS.step(seeds.root(0), state, np.array([ROCK, SCISSORS]))
    assert RPS.tell(turn.state, 0) == "Step 2. In the last step you got 1 point. You observe 2."
    wolf = Pettingzoo("meadow")
    assert wolf.tell(wolf.start(seeds.root(0)), 2) == "Step 1. You observe [1. 1.]."


# an awkward one


def test_agents_unlike_each_other() -> None:
    """Sheep choose one of two actions, of which the first is 1; the wolf one of three. Each keeps its place."""
    game = Pettingzoo("meadow")
    assert game.roles == ("sheep_0", "sheep_1", "wolf_0")
    assert [(question.name, question.options) for question in game.questions] == [
        ("act, one of 2", ("0", "1")),
        ("act, one of 3", ("0", "1", "2")),
    ]
    played = Played(game, "scripted([0])", "scripted([1])", "scripted([0])")
    assert played.rewards == [[1, 2, 0]] * 3
    assert [played.questions[0, seat] for seat in range(3)] == [0, 0, 1]


def test_who_has_left_is_not_asked_and_cannot_be_hunted() -> None:
    """The wolf eats the first sheep. From then on only two are asked, and what the mask forbids is not legal."""
    played = Played(Pettingzoo("meadow"), "scripted([0])", "scripted([0])", "scripted([1,1])")
    assert played.outcome == match.Outcome("failed", "the last line was '1'; it must be exactly one of: 0, 2")
    assert played.rewards == [[-5, 1, 5]]
    assert (1, 0) not in played.moves


def test_the_end_of_all_is_an_end_and_the_clock_a_cut() -> None:
    eaten = Played(Pettingzoo("meadow"), "scripted([0])", "scripted([0])", "scripted([1,2])")
    assert eaten.rewards == [[-5, 1, 5], [0, -5, 5]]
    assert (eaten.steps[-1].ended, eaten.steps[-1].truncated) == (True, False)
    for game in (Pettingzoo("meadow", "days=2"), Pettingzoo("meadow", rounds=2)):  # its own clock, and ours
        played = Played(game, "scripted([0])", "scripted([0])", "scripted([0])")
        assert [(step.ended, step.truncated) for step in played.steps] == [(False, False), (False, True)]


def test_policies_see_arrays() -> None:
    game = Pettingzoo("meadow")
    sight = game.look(game.start(seeds.root(3)))
    grass = int(sight.seen[0].argmax())
    assert sight.seen.tolist() == [np.eye(7)[grass].tolist()] * 2 + [[1, 1, 0, 0, 0, 0, 0]]
    assert len({int(game.look(game.start(seeds.root(seed))).seen[0].argmax()) for seed in range(20)}) > 3  # the key seeds it


# states


def test_an_earlier_state_can_be_gone_on_with() -> None:
    """A state is the moves so far: another branch does not disturb it."""
    game, key = Pettingzoo("meadow"), seeds.root(0)
    first = game.step(key, game.start(key), np.array([0, 0, 0])).state
    branches = [game.step(key, first, np.array(moves)) for moves in ([0, 0, 1], [1, 1, 0])]
    assert [turn.rewards.tolist() for turn in branches] == [[-5, 1, 5], [2, 2, 0]]
    then = [game.step(key, turn.state, np.array([-1 if turn.rewards[0] < 0 else 0, 0, 0])) for turn in branches]
    assert [turn.rewards.tolist() for turn in then] == [[0, 1, 0], [1, 1, 0]]


@pytest.mark.parametrize("around", [["talk"], ["punish"], ["contract"], ["noise(rate=0)"], ["talk", "punish", "noise(rate=0)"]])
def test_mechanisms_go_around_it(around: list[str]) -> None:
    """With everybody silent the match is as it is alone, though they look ahead."""
    alone, inside = (Played(game, "random", "random") for game in (RPS, spec.game(RPS, around)))
    assert inside.outcome.status == "finished"
    own = [step for step in range(len(inside.steps)) if inside.questions.get((step, 0)) == 0]
    assert [inside.rewards[step] for step in own] == alone.rewards
    assert [inside.moves[step, 1] for step in own] == [alone.moves[step, 1] for step in range(4)]


def test_what_is_not_deterministic_has_no_way_back() -> None:
    played = Played(spec.game('pettingzoo(env=meadow,options="haunted=true")', ["talk"]), "random", "random", "random")
    assert played.outcome.status == "failed"
    assert "meadow is not deterministic" in played.outcome.what


# the log


def test_studies_replays_and_forks(tmp_path: Path) -> None:
    text = 'pettingzoo(env=classic/rps-v2,options="max_cycles=6",actions=[rock,paper,scissors])'
    study = Study(text, "random,scripted([rock])", repeats=3)
    assert spec.text(study.built[0].game) == text
    result = study.run(tmp_path / "run")
    assert result.tables.matches["status"].to_list() == ["finished"] * 3
    assert set(result.tables.matches["rounds"]) == {6}
    again = replay(tmp_path / "run", 2)
    assert (again.steps, again.differing) == (6, [])
    what_if = fork(tmp_path / "run", 2, 3, out=tmp_path / "fork", seat={2: "scripted([paper])"}).tables.moves
    moves = what_if.filter(seat=1).sort("step")["move"].to_list()
    assert moves == [ROCK] * 2 + [PAPER] * 4
    assert replay(tmp_path / "fork", 1).differing == []


def test_a_replay_says_where_an_environment_is_not_deterministic(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(meadow, "resets", itertools.repeat(1))
    Study('pettingzoo(env=meadow,options="haunted=true")', "scripted([0])*3", repeats=1).run(tmp_path / "run")
    assert replay(tmp_path / "run", 1).differing == []
    monkeypatch.setattr(meadow, "resets", itertools.repeat(2))
    assert replay(tmp_path / "run", 1).differing == [0, 1, 2]


# in Python


def test_from_names_modules_and_functions() -> None:
    named = from_pettingzoo("classic/rps-v2", max_cycles=4)
    assert named == Pettingzoo("classic/rps-v2", "max_cycles=4")
    assert from_pettingzoo(meadow, days=2, haunted=False).env == "meadow"
    made = from_pettingzoo(meadow.parallel_env, rounds=5)
    assert spec.text(made) == "pettingzoo(env=meadow:parallel_env,rounds=5)"
    assert made.seats == 3


@pytest.mark.parametrize(
    ("env", "says"),
    [
        ("", r"pettingzoo\(env=''\): env must be a name"),
        ("classic/chess-v6", "NameNotFound.*Name one in PettingZoo's registry"),
        ("nowhere", "No module named 'nowhere'"),
        ("json", "module 'json' has no attribute 'parallel_env'"),
        ("collections:Counter", "'Counter' object has no attribute 'possible_agents'"),
        ("meadow:steered", "wolf_0 acts in Box.*only Discrete actions can be moves"),
    ],
)
def test_what_is_no_such_environment(env: str, says: str) -> None:
    with pytest.raises(SpecError, match=says):
        Pettingzoo(env)


def test_without_pettingzoo(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pettingzoo", None)
    monkeypatch.delitem(sys.modules, "commonage.adapters.pettingzoo", raising=False)
    for use in (lambda: Pettingzoo("classic/new-v1"), lambda: commonage.parallel_env):
        with pytest.raises(SpecError, match=r'pip install "commonage\[pettingzoo\]"'):
            use()


def test_more_that_is_refused() -> None:
    with pytest.raises(SpecError, match="dayz"):
        Pettingzoo("meadow", "dayz=3")
    with pytest.raises(SpecError, match=r"actions must be as many names as there are actions, which are 3"):
        Pettingzoo("classic/rps-v2", actions=("rock", "paper"))
    with pytest.raises(SpecError, match="a function of one that makes it"):
        from_pettingzoo(lambda: meadow.Meadow())
    with pytest.raises(SpecError, match="a function of one that makes it"):
        from_pettingzoo(meadow.Meadow())  # type: ignore[arg-type]
    assert isinstance(meadow, ModuleType)


# plain Python does not compile

GROUPS = rollout.seat([(Random(),)] * 2, np.arange(2)[None])


@pytest.mark.parametrize(
    "use",
    [
        lambda: Study(RPS, "random*2", runner="compiled").built,
        lambda: rollout.play(RPS, GROUPS, np.zeros((1, 2), np.uint32)),
        lambda: score(RPS, [(Random(),)], np.zeros((1, 2), int), np.zeros((1, 2), np.uint32)),
        lambda: commonage.make(RPS),
        lambda: commonage.parallel_env(RPS, "talk"),
        lambda: testing.check_game(RPS),
        lambda: testing.check("pettingzoo(env=classic/rps-v2)"),
    ],
)
def test_what_compiles_refuses_it(use: Any) -> None:
    with pytest.raises(SpecError, match=r"pettingzoo is plain Python and does not compile, so that .* cannot play it"):
        use()


def test_a_tower_around_it_does_not_compile_either() -> None:
    assert not spec.game(RPS, ["talk"]).compiles
    assert spec.game("dilemma", ["talk"]).compiles
    assert jax.tree.leaves(RPS) == []
