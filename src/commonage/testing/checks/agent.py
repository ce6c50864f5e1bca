"""The clauses of `commonage.agent.Agent`, checked in a short match."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

from commonage import event, seeds, spec
from commonage.agent import Agent
from commonage.errors import SpecError
from commonage.game import Game
from commonage.run import match, seats
from commonage.testing.checks import rule
from commonage.testing.checks.game import is_json
from commonage.testing.checks.rule import TABLES, hold

Story = list[tuple[int, int, Any]]  # (step, attempt, event) of one seat


def check_agent(agent: Any, game: Any = TABLES[0], paid: bool = False) -> None:
    """Raises ContractError unless an agent answers legally through a short match and keeps no state: an object, a function or text.

    It sits in the first seat, against random play. Raises SpecError for one whose calls are paid, unless `paid`.
    """
    game = rule.game(game)
    agent = seats.agent(spec.seats(agent)[0] if isinstance(agent, str) else agent, game)
    if agent.costs and not paid:
        raise SpecError(f"{rule.name(agent)}: its calls are paid, some {3 * game.max_steps} of them; allow them with paid=True")
    first = _run(_matches(game, agent, 1))
    _answers(agent, first[0])
    if agent.pure:
        says = "An agent that says `pure` keeps no state: what it remembers goes into Answer.memory, what it draws comes from View.key"
        hold(first * 2 == _run(_matches(game, agent, 2)), agent, "the same match, played again, went differently", says)


async def _matches(game: Game, agent: Agent, count: int) -> list[Story]:
    """The same match so many times, at once."""
    return list(await asyncio.gather(*(_match(game, agent) for _ in range(count))))


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
