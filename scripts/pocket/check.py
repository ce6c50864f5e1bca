"""What the pocket model can do at tables that it was not trained at: how often it is legal at once, and how near `decide` comes."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Sequence
from typing import Any, NamedTuple

from commonage import agent, seeds, spec
from commonage.agents.llm import Llm
from commonage.agents.policy import PolicyAgent
from commonage.errors import Unreadable
from commonage.game import Game
from commonage.model import Message, Model, Reply
from commonage.models import desk
from commonage.run.match import play

from . import teacher

ROUTES = ("systemone", "labels")


class Legality(NamedTuple):
    """How many different situations, in how many of them the first answer was legal, and some that were not."""

    situations: int
    legal: int
    wrong: list[str]


class Decision(NamedTuple):
    """One decision: what was asked, the target of the first option, and what each route gave for it."""

    question: str
    target: float
    found: tuple[float, ...]


class Speaker(Llm):
    """A seat that notes whether its first answers are legal."""

    def __init__(self, model: Model, seen: dict[str, str], **options: Any) -> None:
        super().__init__(model, **options)
        self.seen = seen

    async def __call__(self, view: agent.View) -> agent.Answer:
        answer = await super().__call__(view)
        situation = json.dumps([view.rules, view.facts, view.question.name, view.heard, view.memory], default=str)
        if not view.attempt and situation not in self.seen:
            self.seen[situation] = _trouble(view, answer)
        return answer


class Both(Model):
    """Asks for every decision by both routes and answers by the first."""

    name, verbs, test = "both", ("chat", "decide"), True

    def __init__(self, model: Model) -> None:
        self.model, self.last = model, list[Reply]()

    async def chat(self, messages: Sequence[Message], **settings: Any) -> Reply:
        return await self.model.chat(messages, **settings)

    async def decide(self, messages: Sequence[Message], options: Sequence[str], **settings: Any) -> Reply:
        self.last = [await self.model.decide(messages, options, route=route, **settings) for route in ROUTES]
        return self.last[0]


class Decider(Llm):
    """A seat that notes its decisions beside the targets. Its own `Both`: so the last replies are those to its question."""

    def __init__(self, model: Model, found: list[Decision], **options: Any) -> None:
        self.both = Both(model)
        super().__init__(self.both, verb="decide", **options)
        self.found = found

    async def __call__(self, view: agent.View) -> agent.Answer:
        self.both.last = []
        answer = await super().__call__(view)
        if self.both.last:
            first = next(move for move in range(view.question.size) if view.allows(move))
            target = teacher.plan(view).p.get(first, 0.0)
            self.found.append(Decision(view.question.name, target, tuple(reply.p[0] for reply in self.both.last)))
        return answer


async def legality(model: Model, games: list[Game], situations: int, seed: int = 0) -> Legality:
    """First answers by `chat` at temperature 1, without a grammar, until there are so many different situations."""
    seen = dict[str, str]()
    await _until(lambda: len(seen) >= situations, games, lambda draw: Speaker(model, seen, temperature=1.0, **_manner(draw)), seed)
    first = list(seen.values())[:situations]
    wrong = [trouble for trouble in first if trouble]
    return Legality(len(first), len(first) - len(wrong), wrong[:5])


async def decisions(model: Model, games: list[Game], many: int, seed: int = 0) -> list[Decision]:
    """So many decisions by both routes, without a persona."""
    found = list[Decision]()
    await _until(lambda: len(found) >= many, games, lambda draw: Decider(model, found), seed)
    return found[:many]


def summary(found: list[Decision]) -> list[str]:
    """For each question and target what both routes gave: the mean, and the largest deviation."""
    lines = []
    for question, target in sorted({(one.question, one.target) for one in found}):
        here = [one.found for one in found if (one.question, one.target) == (question, target)]
        by_route = [[p[route] for p in here] for route in range(len(ROUTES))]
        said = [
            f"{name} {sum(p) / len(p):.3f} (off by {max(abs(one - target) for one in p):.3f} at most)"
            for name, p in zip(ROUTES, by_route, strict=True)
        ]
        lines.append(f"{question}, target {target:.3f}, {len(here)} situations: {', '.join(said)}")
    return lines


async def _until(done: Any, games: list[Game], seat: Any, seed: int) -> None:
    """Matches, eight at a time: of every table half the seats are the model's, the others play at random."""
    draw, number = random.Random(seed), 0
    with desk.Desk(desk.Limits(cache=False)).using():
        while not done():
            tables = [games[(number + i) % len(games)] for i in range(8)]
            keys = [seeds.root(10_000_019 * (seed + 1) + number + i) for i in range(8)]
            await asyncio.gather(
                *(play(game, _seats(game, seat, draw), key, lambda *row: None) for game, key in zip(tables, keys, strict=True))
            )
            number += 8


def _seats(game: Game, seat: Any, draw: random.Random) -> list[agent.Agent]:
    theirs = PolicyAgent((spec.make("policies", spec.call("random"))(),))
    model = draw.randrange(game.seats)
    return [seat(draw) if place == model or draw.random() < 0.5 else theirs for place in range(game.seats)]


def _manner(draw: random.Random) -> dict[str, Any]:
    """With reasoning or without; remembering all, or the last rounds."""
    return {"reasoning": draw.random() < 0.75, "memory": draw.choice(("full", "full", "recent(3)"))}


def _trouble(view: agent.View, answer: agent.Answer) -> str:
    """Why a first answer is not legal; "" where it is."""
    if answer.refused:
        return answer.refused
    try:
        agent.legible(view, answer)
    except Unreadable as problem:
        return f"{view.question.name}: {problem}"
    return ""
