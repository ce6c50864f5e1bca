"""Our games as PettingZoo's environments (Terry et al. 2021): all at once, or one agent after the other."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import Any

import jax
import numpy as np

from commonage import seeds
from commonage.adapters import spaces
from commonage.adapters.jaxmarl import Env, Observe, State, make
from commonage.errors import SpecError
from commonage.game import Game, numpy
from commonage.run.render.raster import pixels

try:
    import gymnasium.spaces
    from pettingzoo import AECEnv, ParallelEnv
except ImportError as error:
    raise SpecError('PettingZoo is not installed: pip install "commonage[pettingzoo]"') from error

SCALE = 480  # pixels of the longer side of a picture


def parallel_env(
    game: str | Game, *mechanisms: Any, observe: Observe | Sequence[Observe] = "", render_mode: str | None = None, **sets: Any
) -> Parallel:  # fmt: skip
    """`parallel_env("cleanup", "punish(fine=3)", seats=5)`: all agents act at once. The arguments are those of `commonage.make`.

    `render_mode` is "rgb_array", or None.
    """
    return Parallel(make(game, *mechanisms, observe=observe, stacked=True, **sets), render_mode)


def aec_env(
    game: str | Game, *mechanisms: Any, observe: Observe | Sequence[Observe] = "", render_mode: str | None = None, **sets: Any
) -> Turns:  # fmt: skip
    """`parallel_env`, where one agent acts after the other. Who is not asked, or has but one legal move, is skipped."""
    return Turns(make(game, *mechanisms, observe=observe, stacked=True, **sets), render_mode)


class _Played:
    """A match that is being played: what the two kinds of environments share.

    An agent's info: `which` question of `game.questions` it is asked, -1 none; its `action_mask`, int8; whether its last action
    was `illegal`, so that the nearest legal one was played; whether the last step ended the round, `round_over`; its `deed` in
    it, 1 cooperative, 0 not, None where there was none.
    """

    def __init__(self, env: Env, render_mode: str | None) -> None:
        self.env, self.game, self.render_mode = env, env.game, render_mode
        self.metadata = {"name": env.name, "render_modes": ["rgb_array"], "render_fps": 10, "is_parallelizable": True}
        self.possible_agents, self.agents = list(env.agents), list[str]()
        self.observation_spaces = {agent: _space(env.observation_space(agent)) for agent in env.agents}
        self.action_spaces = {agent: _space(env.action_space(agent)) for agent in env.agents}
        self._state: Any = None  # of the match: nothing before the first

    def observation_space(self, agent: str) -> gymnasium.spaces.Space[Any]:
        """The same for all agents."""
        return self.observation_spaces[agent]

    def action_space(self, agent: str) -> gymnasium.spaces.Space[Any]:
        """The same for all agents: as many actions as the largest question has moves; what is legal is the mask of its info."""
        return self.action_spaces[agent]

    def render(self) -> np.ndarray:
        """uint8[height, width, 3]: the game's scene."""
        if self.render_mode != "rgb_array":
            raise SpecError(f'render_mode={self.render_mode!r}: {self.env.name} draws in render_mode="rgb_array"')
        if not (scene := self.game.scene(numpy(self._state).game)):
            raise SpecError(f"{self.env.name} has no picture: its `scene` draws nothing")
        return pixels(scene, SCALE)

    def close(self) -> None:
        """Nothing is open."""

    def _begin(self, seed: int | None) -> None:
        """A new match: of the seed, or the next one after the last."""
        if seed is None and self._state:
            key = seeds.fold(self._state.key, "next")
        else:
            key = seeds.root(secrets.randbits(64) if seed is None else seed)
        self._state, seen = _reset(self.env, key)
        quiet = np.zeros(self.env.num_agents, bool)
        self._see({"illegal": quiet, "round_over": quiet, "deeds": np.full(len(quiet), np.nan)}, *jax.device_get(seen))
        self.agents = list(self.possible_agents)

    def _play(self, actions: np.ndarray) -> tuple[np.ndarray, bool, bool]:
        """(rewards float[seats], ended, truncated) of one step."""
        self._state, seen, rewards, infos = _step(self.env, self._state, actions)
        rewards, infos, seen = jax.device_get((rewards, infos, seen))
        self._see(infos, *seen)
        return rewards, bool(infos["ended"][0]), bool(infos["truncated"][0])

    def _see(self, infos: dict[str, Any], observed: Any, mask: np.ndarray, which: np.ndarray) -> None:
        self._observed, self._mask, self._which = observed, mask.astype(np.int8), which
        self._told = {name: infos[name].tolist() for name in ("illegal", "round_over", "deeds")}

    def _observation(self, place: int) -> Any:
        return jax.tree.map(lambda rows: rows[place], self._observed)

    def _info(self, place: int) -> dict[str, Any]:
        deed = self._told["deeds"][place]
        return {
            "which": int(self._which[place]),
            "action_mask": self._mask[place],
            "illegal": self._told["illegal"][place],
            "round_over": self._told["round_over"][place],
            "deed": None if deed != deed else deed,
        }

    def _places(self) -> list[tuple[int, str]]:
        """(its row, its name) of every agent that is there."""
        return [(place, agent) for place, agent in enumerate(self.possible_agents) if agent in self.agents]

    def _asked(self, place: int) -> bool:
        """Whether it has something to choose now."""
        return bool(self._which[place] >= 0 and self._mask[place].sum() > 1)


class Parallel(_Played, ParallelEnv[str, Any, Any]):
    """A game as a ParallelEnv."""

    def reset(self, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[dict[str, Any], dict[str, Any]]:
        """(observations, infos) of a new match. Without a seed it is the one after the last; the first is drawn. `options` are not used."""
        self._begin(seed)
        return self._each(self._observation), self._each(self._info)

    def step(self, actions: dict[str, Any]) -> tuple[dict[str, Any], dict[str, float], dict[str, bool], dict[str, bool], dict[str, Any]]:
        """(observations, rewards, terminations, truncations, infos). Raises SpecError where an agent that is asked has no action."""
        if not self.agents:
            return {}, {}, {}, {}, {}
        if missing := [agent for place, agent in self._places() if agent not in actions and self._asked(place)]:
            raise SpecError(f"step: no action of {', '.join(missing)}, who must choose")
        rewards, ended, truncated = self._play(np.array([actions.get(agent, 0) for agent in self.possible_agents], np.int32))
        out = (
            self._each(self._observation),
            self._each(lambda place: float(rewards[place])),
            self._each(lambda _: ended),
            self._each(lambda _: truncated),
            self._each(self._info),
        )
        if ended or truncated:
            self.agents = []
        return out

    def _each(self, value: Any) -> dict[str, Any]:
        return {agent: value(place) for place, agent in self._places()}


class Turns(_Played, AECEnv[str, Any, Any]):
    """A game as an AECEnv: actions are collected, and the step is played once all who are asked have acted."""

    def reset(self, seed: int | None = None, options: dict[str, Any] | None = None) -> None:
        """A new match. Without a seed it is the one after the last; the first is drawn. `options` are not used."""
        self._begin(seed)
        self.rewards = dict.fromkeys(self.agents, 0.0)
        self._cumulative_rewards = dict.fromkeys(self.agents, 0.0)
        self.terminations, self.truncations = dict.fromkeys(self.agents, False), dict.fromkeys(self.agents, False)
        self._skip_agent_selection = None
        self._ask()

    def observe(self, agent: str) -> Any:
        """What the agent sees: nobody's action of this step yet."""
        return self._observation(self.possible_agents.index(agent))

    def step(self, action: Any) -> None:
        """The action of `agent_selection`; None where it is done."""
        agent = self.agent_selection
        if self.terminations[agent] or self.truncations[agent]:
            return self._was_dead_step(action)
        self._actions[self.possible_agents.index(agent)] = action
        self._cumulative_rewards[agent] = 0.0
        self._clear_rewards()
        self._waiting.pop(0)
        if self._waiting:
            self.agent_selection = self._waiting[0]
        else:
            self._move_on()
            self._ask()
        self._accumulate_rewards()
        self._deads_step_first()
        return None

    def _ask(self) -> None:
        """Whose turn it is; steps in which nobody has something to choose are played at once."""
        while True:
            self._actions = self._mask.argmax(1).astype(np.int32)  # of who has one legal move that one
            self._waiting = [agent for place, agent in self._places() if self._asked(place)]
            if self._waiting or self._over:
                break
            self._move_on()
        self.infos = {agent: self._info(place) for place, agent in self._places()}
        self.agent_selection = (self._waiting or self.agents)[0]

    def _move_on(self) -> None:
        rewards, ended, truncated = self._play(self._actions)
        for place, agent in self._places():
            self.rewards[agent] += float(rewards[place])
        self.terminations, self.truncations = dict.fromkeys(self.agents, ended), dict.fromkeys(self.agents, truncated)

    @property
    def _over(self) -> bool:
        return any(self.terminations.values()) or any(self.truncations.values())


@jax.jit
def _reset(env: Env, key: Any) -> Any:
    _, state = env.reset(key)
    return state, _seen(env, state)


@jax.jit
def _step(env: Env, state: State, actions: Any) -> Any:
    _, state, rewards, _, infos = env.step_env(state.key, state, actions)
    return state, _seen(env, state), rewards, infos


def _seen(env: Env, state: State) -> Any:
    """(observations, action masks, questions) of all."""
    return env.get_obs(state), env.get_avail_actions(state), env.which(state)


def _space(space: Any) -> gymnasium.spaces.Space[Any]:
    """The same as one of Gymnasium's."""
    if isinstance(space, spaces.Dict):
        return gymnasium.spaces.Dict({name: _space(one) for name, one in space.spaces.items()})
    if isinstance(space, spaces.Discrete):
        return gymnasium.spaces.Discrete(space.n)
    return gymnasium.spaces.Box(space.low, space.high, space.shape, space.dtype)
