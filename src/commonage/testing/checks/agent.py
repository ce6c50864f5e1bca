"""The clauses of `commonage.agent.Agent`, checked in a short match."""

from __future__ import annotations

import asyncio
import copy
import threading
from typing import Any

from commonage import event, seeds, spec
from commonage.agent import Agent, Answer, View
from commonage.agents.python import Python
from commonage.errors import SpecError
from commonage.game import Game
from commonage.run import match, seats
from commonage.testing.checks import rule
from commonage.testing.checks.game import is_json
from commonage.testing.checks.rule import TABLES, hold

STATELESS = "An agent keeps no state of its own: what it remembers goes into Answer.memory, what it draws comes from View.key"
Story = list[tuple[int, int, Any]]  # (step, attempt, event) of one seat


def check_agent(agent: Any, game: Any = TABLES[0], paid: bool = False) -> None:
    """Raises ContractError unless an agent answers legally through a short match and keeps no state: an object, a function or text.

    It sits in the first seat, against random play. Raises SpecError for one whose calls are paid, unless `paid`.
    """
    game = rule.game(game)
    agent = seats.agent(spec.seats(agent)[0] if isinstance(agent, str) else agent, game)
    if agent.costs and not paid:
        raise SpecError(f"{rule.name(agent)}: its calls are paid, some {3 * game.max_steps} of them; allow them with paid=True")
    watched = agent if agent.pure else _Watched(agent)
    first = _run(_matches(game, watched, 1))
    _answers(agent, first[0])
    if agent.pure:
        hold(first * 2 == _run(_matches(game, agent, 2)), agent, "the same match, played again, went differently", STATELESS)
    elif isinstance(agent, Python):  # a model, a person or a server answers as it likes
        _run(_again(watched))


async def _matches(game: Game, agent: Agent, count: int) -> list[Story]:
    """The same match so many times, at once."""
    return list(await asyncio.gather(*(_match(game, agent) for _ in range(count))))


class _Watched(Agent):
    """Hands questions on to an agent, and keeps what was asked and answered."""

    def __init__(self, agent: Agent) -> None:
        self.agent, self.boundary = agent, agent.boundary  # type: ignore[misc]
        self.seen: list[tuple[View, Answer]] = []

    async def __call__(self, view: View) -> Answer:
        asked = view.replace(memory=copy.deepcopy(view.memory))  # as it was: the agent may change it
        answer = await self.agent(view)
        self.seen.append((asked, copy.deepcopy(answer)))
        return answer

    def keep(self, memory: Any) -> Any:
        return self.agent.keep(memory)


async def _again(watched: _Watched) -> None:
    """The same questions once more, the last one first: the answers are as before."""
    for view, before in reversed(watched.seen):
        after = await watched.agent(view)
        same = repr(before._replace(usage={})) == repr(after._replace(usage={}))
        found = f"step {view.step}: asked again, in another order, it answered {_short(after)} instead of {_short(before)}"
        hold(same, watched.agent, found, STATELESS)


def _short(answer: Answer) -> str:
    return f"{answer.text or answer.says or answer.move!r:.60}" if not answer.refused else answer.refused[:60]


async def _match(game: Game, agent: Agent) -> Story:
    story: Story = []

    def write(step: int, seat: int, attempt: int, what: Any) -> None:
        if seat == 0 or isinstance(what, event.Paused):
            story.append((step, attempt, what))

    others = [seats.agent(spec.seats("random")[0], game) for _ in range(game.seats - 1)]
    await match.play(game, [agent, *others], seeds.root(7), write)
    return story


def _answers(agent: Agent, story: Story) -> None:
    says = "Answer with the index of a legal move, or with a text whose last line is one option or one number within the range"
    for step, _, what in story:
        hold(not isinstance(what, event.Asked), agent, f"step {step}: its answer could not be read, {getattr(what, 'problem', '')}", says)
        hold(isinstance(what, event.Moved), agent, f"step {step}: it gave no answer, {getattr(what, 'what', '')}", says)
        hold(is_json(what.memory), agent, f"step {step}: its memory is {what.memory!r}", "It goes into the log: JSON; see Agent.keep")


def _run(coroutine: Any) -> Any:
    """The result, also inside a running event loop (Jupyter): in a thread of its own."""
    done: list[Any] = []

    def work() -> None:
        try:
            done.append(asyncio.run(coroutine))
        except BaseException as error:
            done.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    if isinstance(done[0], BaseException):
        raise done[0]
    return done[0]
