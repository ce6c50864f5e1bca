"""A laboratory for cooperation among agents: sit any agents at the same table, switch a mechanism on, see who cooperates.

from commonage import Study
result = Study("commons", "sustainer*4,cheat", ["punish(fine=3)"], repeats=200).run("runs/fines")
print(result.table())
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:  # the public names; each is loaded when it is first used
    from commonage.adapters.jaxmarl import make as make
    from commonage.adapters.pettingzoo import aec_env as aec_env
    from commonage.adapters.pettingzoo import parallel_env as parallel_env
    from commonage.agent import Agent as Agent
    from commonage.agent import Answer as Answer
    from commonage.agent import View as View
    from commonage.errors import CommonageError as CommonageError
    from commonage.game import Ask as Ask
    from commonage.game import Game as Game
    from commonage.game import Oracle as Oracle
    from commonage.game import Question as Question
    from commonage.game import Turn as Turn
    from commonage.games.pettingzoo import from_pettingzoo as from_pettingzoo
    from commonage.mechanism import Mechanism as Mechanism
    from commonage.mechanism import Phased as Phased
    from commonage.part import static as static
    from commonage.policy import Policy as Policy
    from commonage.run.adaptation import adaptation as adaptation
    from commonage.run.crossplay import crossplay as crossplay
    from commonage.run.render import render as render
    from commonage.run.replay import fork as fork
    from commonage.run.replay import replay as replay
    from commonage.run.result import Result as Result
    from commonage.run.schelling import schelling as schelling
    from commonage.run.shapley import shapley as shapley
    from commonage.run.study import Arm as Arm
    from commonage.run.study import Study as Study

HOMES = {
    "Agent": "agent", "Answer": "agent", "View": "agent", "CommonageError": "errors", "Ask": "game", "Game": "game",
    "Oracle": "game", "Question": "game", "Turn": "game", "Mechanism": "mechanism", "Phased": "mechanism", "static": "part",
    "Policy": "policy", "render": "run.render", "fork": "run.replay", "replay": "run.replay", "Result": "run.result", "Arm": "run.study",
    "Study": "run.study", "schelling": "run.schelling", "adaptation": "run.adaptation", "crossplay": "run.crossplay",
    "shapley": "run.shapley", "make": "adapters.jaxmarl",
    "parallel_env": "adapters.pettingzoo", "aec_env": "adapters.pettingzoo", "from_pettingzoo": "games.pettingzoo",
}  # fmt: skip

__all__ = sorted(HOMES)  # pyright: ignore[reportUnsupportedDunderAll]


def __getattr__(name: str) -> Any:
    if name not in HOMES:
        raise AttributeError(f"commonage has no {name!r}; it has {', '.join(__all__)}")
    return getattr(importlib.import_module(f"commonage.{HOMES[name]}"), name)


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
