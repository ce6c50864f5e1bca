"""An environment of PettingZoo's kind with all that makes one awkward: agents unlike each other, who leave, and masks."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
from gymnasium import spaces
from pettingzoo import ParallelEnv

SHEEP = ["sheep_0", "sheep_1"]
resets = itertools.count()


class Meadow(ParallelEnv[str, Any, Any]):
    """Sheep eat 1 or 2 and see what grows. A wolf rests or eats a sheep, 5 for it, -5 for the sheep, and sees both.

    `haunted`: what grows does not hang on the seed, and sheep get that much more.
    """

    metadata = {"name": "meadow"}

    def __init__(self, days: int = 3, haunted: bool = False) -> None:
        self.days, self.haunted, self.possible_agents, self.agents = days, haunted, [*SHEEP, "wolf_0"], list[str]()
        self.acts = {**dict.fromkeys(SHEEP, spaces.Discrete(2, start=1)), "wolf_0": spaces.Discrete(3)}
        both = spaces.Dict({"observation": spaces.Box(0, 1, (2,)), "action_mask": spaces.Box(0, 1, (3,), np.int8)})
        self.sees = {**dict.fromkeys(SHEEP, spaces.Discrete(7)), "wolf_0": both}

    def action_space(self, agent: str) -> Any:
        return self.acts[agent]

    def observation_space(self, agent: str) -> Any:
        return self.sees[agent]

    def reset(self, seed: int | None = None, options: Any = None) -> Any:
        self.day, self.agents = 0, list(self.possible_agents)
        self.grass = (next(resets) if self.haunted else int(seed or 0)) % 7
        return self.look(), {agent: {} for agent in self.agents}

    def look(self) -> dict[str, Any]:
        alive = [agent in self.agents for agent in SHEEP]
        mask = np.array([1, *alive], np.int8)
        seen = {"observation": np.array(alive, np.float32), "action_mask": mask}
        return {agent: seen if agent == "wolf_0" else self.grass for agent in self.possible_agents}

    def step(self, actions: Any) -> Any:
        there, self.day = self.agents, self.day + 1
        assert actions.keys() == set(there)
        assert all(actions[agent] in (1, 2) for agent in there if agent in SHEEP)
        hunted = [SHEEP[actions["wolf_0"] - 1]] if actions["wolf_0"] else []
        eats = lambda agent: 5 * len(hunted) if agent == "wolf_0" else int(actions[agent]) + self.haunted * self.grass
        rewards = {agent: -5 if agent in hunted else eats(agent) for agent in there}
        gone, late = {agent: agent in hunted for agent in there}, dict.fromkeys(there, self.day >= self.days)
        self.agents = [] if self.day >= self.days else [agent for agent in there if not gone[agent]]
        if self.agents == ["wolf_0"]:  # nothing is left to eat
            gone["wolf_0"], self.agents = True, []
        return {agent: self.look()[agent] for agent in there}, rewards, gone, late, {agent: {} for agent in there}

    def close(self) -> None:
        pass


def parallel_env(**options: Any) -> Meadow:
    return Meadow(**options)


def steered(**options: Any) -> Meadow:
    """Its actions are no choice of some."""
    env = Meadow(**options)
    env.acts["wolf_0"] = spaces.Box(-1, 1, (1,))  # type: ignore[assignment]
    return env
