"""Games as PettingZoo's environments: its own tests of them, and the matches that our runner plays."""

from __future__ import annotations

import functools
import warnings

import numpy as np
import pytest
from test_jaxmarl import recorded

import commonage
from commonage import find, seeds
from commonage.errors import SpecError
from commonage.grid.game import Grid
from small import small

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # PettingZoo 1.27: its tests use what it calls deprecated
    from pettingzoo.test import api_test, parallel_api_test, parallel_seed_test, render_test, seed_test

GRIDS = [small(name) for name in sorted(find.parts("games")) if issubclass(find.find("games", name), Grid)]
TABLES = [*((game,) for game in (*GRIDS, *map(small, ("dilemma", "commons", "ultimatum", "coin_game")))), ("commons", "talk", "punish")]
CYCLES = 15

tables = pytest.mark.parametrize("table", TABLES, ids=" ".join)


# PettingZoo's own tests


@tables
def test_the_parallel_interface(table: tuple[str, ...]) -> None:
    parallel_api_test(commonage.parallel_env(*table), CYCLES)
    parallel_seed_test(lambda: commonage.parallel_env(*table), CYCLES)


@tables
def test_the_interface_of_turns(table: tuple[str, ...]) -> None:
    api_test(commonage.aec_env(*table), CYCLES)
    seed_test(lambda: commonage.aec_env(*table), CYCLES)


@pytest.mark.parametrize("game", [*GRIDS, small("dilemma"), small("commons")])
def test_the_picture(game: str) -> None:
    render_test(functools.partial(commonage.aec_env, game))


# the same matches


@tables
def test_all_at_once_is_the_match_that_our_runner_plays(table: tuple[str, ...]) -> None:
    env = commonage.parallel_env(*table)
    _, infos = env.reset(seed=7)
    for moves, stepped in recorded(env.game, seeds.root(7)):
        asked = [move for agent, move in zip(env.agents, moves, strict=True) if infos[agent]["which"] >= 0]
        assert (np.array(asked) >= 0).all()
        observed, rewards, terminations, truncations, infos = env.step(dict(zip(env.agents, moves, strict=True)))
        np.testing.assert_allclose(list(rewards.values()), stepped.rewards, 1e-5, 1e-6)
        assert set(terminations.values()) == {stepped.ended}
        assert set(truncations.values()) == {stepped.truncated}
        assert [info["round_over"] for info in infos.values()] == [stepped.round_over] * env.max_num_agents
        assert list(observed) == env.possible_agents
    assert env.agents == []


@tables
def test_one_after_the_other_is_the_match_that_our_runner_plays(table: tuple[str, ...]) -> None:
    env = commonage.aec_env(*table)
    env.reset(seed=7)
    earned, expected = dict.fromkeys(env.agents, 0.0), np.zeros(env.game.seats)
    left = iter(recorded(env.game, seeds.root(7)))
    moves: dict[str, int] = {}
    for agent in env.agent_iter():
        _, reward, over, cut, info = env.last()
        earned[agent] += reward
        if over or cut:
            env.step(None)
            continue
        while agent not in moves:  # steps in which nobody had a choice went by
            row, stepped = next(left)
            expected += stepped.rewards
            moves = {name: move for name, move in zip(env.possible_agents, row.tolist(), strict=True) if move >= 0}
        assert info["action_mask"].sum() > 1
        env.step(moves.pop(agent))
    expected += sum(np.array(stepped.rewards) for _, stepped in left)
    np.testing.assert_allclose(list(earned.values()), expected, 1e-5, 1e-6)


# who acts when


def test_who_is_not_asked_is_skipped() -> None:
    """The first offers, the second answers; then the roles change."""
    env = commonage.aec_env("ultimatum(rounds=2,swap=true)")
    env.reset(seed=0)
    order = []
    for agent in env.agent_iter():
        order.append(agent)
        *_, over, cut, _ = env.last()
        env.step(None if over or cut else 1)
    assert order[:4] == ["agent_0", "agent_1", "agent_1", "agent_0"]
    assert sorted(order[4:]) == ["agent_0", "agent_1"]


def test_nobody_sees_what_others_do_in_the_same_step() -> None:
    env = commonage.aec_env("dilemma(rounds=2)")
    env.reset(seed=0)
    before = env.observe("agent_1")
    env.step(1)
    assert env.agent_selection == "agent_1"
    assert (env.observe("agent_1") == before).all()
    env.step(0)
    assert not (env.observe("agent_1") == before).all()
    assert env.rewards == {"agent_0": 5, "agent_1": 0}
    assert [env.infos[agent]["deed"] for agent in env.agents] == [0, 1]


def test_an_illegal_action_is_said() -> None:
    env = commonage.parallel_env("commons", seats=2)
    env.reset(seed=0)
    env.step({"agent_0": 30, "agent_1": 30})
    _, rewards, *_, infos = env.step({"agent_0": 100, "agent_1": 0})
    assert rewards["agent_0"] == 80
    assert [info["illegal"] for info in infos.values()] == [True, False]


def test_an_agent_that_must_choose_has_to() -> None:
    env = commonage.parallel_env("ultimatum")
    env.reset(seed=0)
    with pytest.raises(SpecError, match="step: no action of agent_0"):
        env.step({})
    env.step({"agent_0": 3})  # the other one is not asked
    assert env.step({"agent_1": 0})[1] == {"agent_0": 7, "agent_1": 3}


# seeds and pictures


def test_a_seed_is_a_match_and_without_one_another_follows() -> None:
    env = commonage.parallel_env("coin_game")
    first, second, again = (env.reset(seed=seed)[0]["agent_0"].tolist() for seed in (3, None, 3))
    assert first == again != second
    assert env.reset()[0]["agent_0"].tolist() == second
    assert len({tuple(commonage.parallel_env("coin_game").reset()[0]["agent_0"].tolist()) for _ in range(8)}) > 1


def test_a_picture_is_the_scene_of_the_game() -> None:
    env = commonage.parallel_env(small("cleanup"), render_mode="rgb_array")
    env.reset(seed=0)
    picture = env.render()
    assert picture.dtype == np.uint8
    assert max(picture.shape) == picture.shape[1] > picture.shape[0]  # 30 cells wide, 21 high
    assert picture.shape[2] == 3
    env.step(dict.fromkeys(env.agents, 5))  # all turn left
    assert env.render().shape == picture.shape
    assert (env.render() != picture).any()


@pytest.mark.parametrize("mode", [None, "human"])
def test_no_other_picture(mode: str | None) -> None:
    env = commonage.parallel_env("dilemma", render_mode=mode)
    env.reset(seed=0)
    with pytest.raises(SpecError, match='dilemma draws in render_mode="rgb_array"'):
        env.render()
