"""One match by seated agents. Knows nothing of studies, files or the web."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any, NamedTuple, TypeVar

import jax.numpy as jnp
import numpy as np

from commonage import event
from commonage.agent import Agent, Answer, Elder, Said, View, legible
from commonage.agents.policy import PolicyAgent
from commonage.agents.policy import together as answer_together
from commonage.errors import ContractError, Pause, Unreadable
from commonage.game import Game, Legal, layers, owners
from commonage.part import bound
from commonage.run import seats
from commonage.store.codec import dumps

Write = Callable[[int, int, int, Any], None]  # (step, seat, attempt, event)
T = TypeVar("T")
Q = TypeVar("Q", event.Moved, event.Failed, event.Replaced)
ENTRY = -1  # the step of what happens before the first
ASKED = 3  # times that one question is put to a seat before its answer is a failure


class Past(NamedTuple):
    """What a log holds of a match."""

    moves: dict[tuple[int, int], event.Moved] = {}  # by (step, seat)
    asked: dict[tuple[int, int], list[event.Asked]] = {}  # the answers that could not be read
    retired: dict[tuple[int, int], event.Failed] = {}
    written: frozenset[int] = frozenset()  # steps whose outcome is in the log
    inherited: dict[int, event.Inherited] = {}  # by seat
    replaced: dict[tuple[int, int], event.Replaced] = {}


class Heir(NamedTuple):
    """What a seat of a generation is handed before the first step."""

    strategy: Any = None  # None: a seat that writes is asked for one
    parent: int = -1  # the seat of the generation before that it is or learns from; -1: nobody
    elders: tuple[Elder, ...] = ()  # for one who writes


class Fork(NamedTuple):
    """From this round on another game."""

    round: int
    game: Game
    offset: int = 0  # the log lists the questions of the game before the fork from here on


class Outcome(NamedTuple):
    """How a match ended: finished, failed or paused."""

    status: str
    what: str = ""


class Stop(Exception):
    """Ends a match with an outcome; raised and caught in this file only."""


async def play(
    game: Game,
    agents: Sequence[Agent],
    key: Any,
    write: Write,
    *,
    order: Sequence[int] | None = None,
    on_failure: str = "end",
    past: Past | None = None,
    fork: Fork | None = None,
    retell: bool = False,
    heirs: Sequence[Heir] = (),
) -> Outcome:
    """Plays to the end, or to a failure or a pause. `agents` by place in the seat list; order[place] = that place.

    Moves of the past are not asked for again; only what they left in the memory of a policy is computed again.
    With `retell` they are written once more: to another log. `heirs`, by place in the seat list, of a generation.
    """
    table = _Table(game, agents, key, write, list(order or range(game.seats)), on_failure, past or Past(), fork, retell)
    try:
        await table.play(heirs)
    except Stop as stop:
        return stop.args[0]
    return Outcome("finished")


def _begin(game: Game, key: Any) -> Any:
    state = game.start(key)
    return state, _now(game, state)


def _advance(game: Game, key: Any, state: Any, moves: Any) -> Any:
    turn = game.step(key, state, moves)
    flags, rows = jnp.stack([turn.round_over, turn.ended, turn.truncated]), jnp.stack([turn.rewards, turn.deeds])
    return turn.state, flags, rows, game.facts(turn.state), _now(game, turn.state)


def _look(game: Game, state: Any) -> Any:
    return _now(game, state)


def _now(game: Game, state: Any) -> Any:
    """(sights, options, int32[5, seats]: the numbers of the ask and toward, which come to NumPy in one piece)."""
    ask = game.ask(state)
    numbers = jnp.stack([ask.which, ask.legal.low, ask.legal.high, ask.legal.size, game.toward(state)])
    return game.sights(state), ask.legal.options, numbers


class _Table:
    """The match while it is played."""

    def __init__(
        self, game: Game, agents: Sequence[Agent], key: Any, write: Write, order: list[int], on_failure: str, past: Past, fork: Fork | None,
        retell: bool,
    ) -> None:  # fmt: skip
        self.game, self.agents, self.key, self.order, self.past, self.fork = game, list(agents), jnp.asarray(key), order, past, fork
        self.write, self.retell, self.retires = write, retell, on_failure == "retire" and game.spares
        self.places = [order.index(seat) for seat in range(len(order))]
        self.step, self.round = 0, 1
        self.memory: list[Any] = [None] * len(agents)
        self.counts: list[dict[str, int]] = [{} for _ in agents]
        self.watching: dict[int, Any] = {}  # what those remember by now who may have to take over, by seat
        self.retired: set[int] = set()
        self.said: list[Said] = []
        self.strategies: list[Any] = [None] * len(agents)

    async def play(self, heirs: Sequence[Heir]) -> None:
        self.seat_at(self.game)
        self.state, now = self.ruled(bound(_begin, self.game), self.key)
        self.see(now)
        if heirs:
            await self.enter(heirs)
        over = False
        while not over:
            if self.fork and self.round >= self.fork.round and self.game is not self.fork.game:
                self.change(self.fork.game)
            moves = await self.moves()
            over = self.advance(moves)
            self.step += 1

    async def enter(self, heirs: Sequence[Heir]) -> None:
        """Everybody enters a generation: by the strategy in the log, the one that is handed over, or one that it writes now."""
        self.step = ENTRY
        self.strategies = await together([self.entered(seat, heir) for seat, heir in enumerate(heirs)])
        self.agents = [agent.heir(strategy) for agent, strategy in zip(self.agents, self.strategies, strict=True)]
        self.step = 0

    async def entered(self, seat: int, heir: Heir) -> Any:
        """The strategy of one seat. An empty text is asked for again, then it is a failure: nobody plays by none silently."""
        if known := self.past.inherited.get(seat):
            if self.retell:
                self.write(ENTRY, seat, 0, known)
            return known.strategy
        if heir.strategy is not None or not self.agents[seat].writes:
            self.write(ENTRY, seat, 0, event.Inherited(heir.strategy, heir.parent))
            return heir.strategy
        return await self.wrote(seat, heir)

    async def wrote(self, seat: int, heir: Heir) -> str:
        """A strategy that the seat writes now."""
        before = self.past.asked.get((ENTRY, seat), [])
        problem, ask = before[-1].problem if before else "", functools.partial(self.agents[seat].inherit, elders=heir.elders)
        for attempt in range(len(before), ASKED):
            view = self.view(self.places[seat], attempt, problem).replace(round=0)
            answer = await self.call(view, ask)
            if answer.refused:
                problem = answer.refused
                break
            if answer.text.strip():
                self.write(ENTRY, seat, attempt, event.Inherited(answer.text, heir.parent, True, answer.usage))
                return answer.text
            problem = "it was empty"
            self.write(ENTRY, seat, attempt, event.Asked(-1, answer.text, problem, answer.usage))
        self.write(ENTRY, seat, ASKED, event.Failed(self.agents[seat].boundary, f"no strategy: {problem}"))
        raise Stop(Outcome("failed", f"no strategy: {problem}"))

    def see(self, now: Any) -> None:
        self.sights, options, numbers = now
        numbers = np.asarray(numbers)
        self.which, _, _, self.count, self.toward = numbers.tolist()
        self.legal = Legal(numbers[1], numbers[2], np.asarray(options))

    def change(self, game: Game) -> None:
        """Another tower from here on: layers of the same name keep their state, new ones start."""
        fresh, _ = self.ruled(bound(_begin, game), self.key)
        self.state = transplant(self.game, self.state, game, fresh)
        self.seat_at(game)
        self.see(self.ruled(bound(_look, game), self.state))

    def seat_at(self, game: Game) -> None:
        self.game, self.owners, self.forward = game, owners(game), bound(_advance, game)

    async def moves(self) -> np.ndarray:
        """int32[places]: everybody who is asked answers at once."""
        moves = np.full(len(self.agents), -1, np.int32)
        asked = [place for place, which in enumerate(self.which) if which >= 0 and self.order[place] not in self.retired]
        waiting, ready = [], self.policies([place for place in asked if self.count[place] > 1])
        for place in asked:
            if self.count[place] == 1:
                moves[place] = Legal(*(rows[place] for rows in self.legal)).nth(0)
                seat, forced = self.order[place], event.Moved(self.which[place], int(moves[place]), forced=True)
                self.moved(seat, forced, write=self.retell or not self.known(seat))
            elif self.agents[self.order[place]].pure:  # answers without waiting: a task would cost more than the answer
                moves[place] = await self.answer(place, ready.get(place))
            else:
                waiting.append(place)
        if waiting:
            moves[waiting] = await together([self.answer(place) for place in waiting])
        return moves

    def policies(self, places: list[int]) -> dict[int, tuple[View, Answer]]:
        """The answers of all policies that are asked, from one compiled call: by seat, so that it is compiled once for all orders."""
        by_seat = sorted(places, key=self.order.__getitem__)
        sat = {place: agent for place in by_seat if isinstance(agent := self.agents[self.order[place]], PolicyAgent)}
        views = [self.view(place, 0, "") for place in sat if not self.known(self.order[place])]
        try:
            answers = answer_together([sat[view.place] for view in views], views) if views else []
        except Exception:  # each is called on its own then, so that the one to blame is found
            return {}
        return {view.place: (view, answer) for view, answer in zip(views, answers, strict=True)}

    async def answer(self, place: int, ready: tuple[View, Answer] | None = None) -> int:
        """The move of one seat: from the log, or asked for and read strictly; -1 if it failed and was retired."""
        seat = self.order[place]
        done = (self.step, seat)
        if done in self.past.retired:
            return self.retire(seat, self.past.retired[done], write=self.retell)
        if done in self.past.replaced:
            self.replace(seat, self.past.replaced[done], write=self.retell)
        if self.known(seat):
            return await self.again(place, self.past.moves[done])
        before = [] if isinstance(self.agents[seat], PolicyAgent) else self.past.asked.get(done, [])
        problem = before[-1].problem if before else ""
        for attempt in range(len(before), ASKED):
            view = ready[0] if ready else self.view(place, attempt, problem)
            answer = ready[1] if ready else await self.call(view)
            if answer.refused:
                return await self.missing(place, answer.refused)
            try:
                move, says = legible(view, answer)
            except Unreadable as unreadable:
                problem = str(unreadable)
                if isinstance(self.agents[seat], PolicyAgent):  # so the compiled runner says it, too
                    problem = f"seat {seat + 1}: its policy chose the illegal move {answer.move}"
                    break
                if self.agents[seat].pure and answer.move is not None:
                    break
                self.write(self.step, seat, attempt, event.Asked(view.which, answer.text, problem, answer.usage))
                continue
            await self.watched(seat, view)
            self.remember(seat, view, answer.memory)
            kept = self.agents[seat].keep(answer.memory)
            self.moved(seat, event.Moved(view.which, move, False, says, answer.text, kept, answer.usage), attempt)
            return move
        return await self.missing(place, problem)

    async def missing(self, place: int, why: str) -> int:
        """The move of a seat that will not answer: its substitute's from here on, where it has one; else it fails."""
        seat = self.order[place]
        if (substitute := self.agents[seat].substitute) is None:
            return self.fail(seat, why)
        by = seats.write([getattr(substitute, "player", substitute)])
        self.replace(seat, event.Replaced(self.agents[seat].boundary, why, by, self.which[place]))
        return await self.answer(place)

    def replace(self, seat: int, replaced: event.Replaced, write: bool = True) -> None:
        """The substitute sits down, with what it saw so far. On a tape, or where another sits by now, there is none."""
        if write:
            self.write(self.step, seat, 0, self.listed(replaced))
        if substitute := self.agents[seat].substitute:
            self.agents[seat], self.memory[seat] = substitute, self.watching.get(seat)

    async def watched(self, seat: int, view: View) -> None:
        """Who may have to take over sees what the seat sees, and remembers."""
        if substitute := self.agents[seat].substitute:
            self.watching[seat] = (await self.call(view.replace(memory=self.watching.get(seat)), substitute)).memory

    def known(self, seat: int) -> bool:
        """Whether the log has the seat's move of this step."""
        return (self.step, seat) in self.past.moves

    async def again(self, place: int, moved: event.Moved) -> int:
        """A move of the log. A pure agent computes its memory again; one that took over the seat has watched from it."""
        seat, view = self.order[place], self.view(place, 0, "")
        await self.watched(seat, view)
        self.remember(seat, view, await self.agents[seat].recall(view, moved.memory))
        self.moved(seat, moved._replace(question=view.which), write=self.retell)
        return moved.move

    async def call(self, view: View, ask: Callable[[View], Awaitable[Answer]] | None = None) -> Answer:
        """What the seat answers, to a question of the game or to what else it is asked."""
        try:
            return sound(self.agents[view.seat], await (ask or self.agents[view.seat])(view))
        except Pause as pause:
            self.write(self.step, view.seat, view.attempt, event.Paused(str(pause)))
            raise Stop(Outcome("paused", str(pause))) from pause
        except ContractError as error:
            if isinstance(self.agents[view.seat], PolicyAgent):  # it broke its own contract, not the game's
                return Answer(refused=str(error))
            raise self.broken(error) from error
        except Exception as error:
            return Answer(refused=f"{type(error).__name__}: {error}")

    def view(self, place: int, attempt: int, problem: str) -> View:
        seat = self.order[place]
        return View(
            game=self.game, state=self.state, place=place, seat=seat, step=self.step, round=self.round, which=self.which[place],
            allowed=self.legal, sights=self.sights, key=self.key,
            count=self.counts[seat].get(self.owners[self.which[place]], 0),
            memory=self.memory[seat], heard=tuple(said for said in self.said if said.place != place and said.step < self.step),
            attempt=attempt, problem=problem, strategy=self.strategies[seat],
        )  # fmt: skip

    def remember(self, seat: int, view: View, memory: Any) -> None:
        layer = self.owners[view.which]
        self.memory[seat] = memory
        self.counts[seat][layer] = self.counts[seat].get(layer, 0) + 1

    def moved(self, seat: int, moved: event.Moved, attempt: int = 0, write: bool = True) -> None:
        if moved.says:
            self.said.append(Said(self.step, self.round, self.places[seat], moved.says))
        if write:
            self.write(self.step, seat, attempt, self.listed(moved))

    def listed(self, what: Q) -> Q:
        """With the number of its question in the log: before a fork those of the other game stand further on in the list."""
        before = self.fork is not None and self.round < self.fork.round and what.question >= 0
        return what._replace(question=what.question + self.fork.offset) if before else what  # type: ignore[union-attr]

    def fail(self, seat: int, why: str) -> int:
        """The seat's failure: it retires, or the match ends. A policy that breaks its contract ends it, as in the compiled runner."""
        policy = isinstance(self.agents[seat], PolicyAgent)
        failed = event.Failed(self.agents[seat].boundary, why, -1 if policy else self.which[self.places[seat]])
        if self.retires and not policy and len(self.retired) + 1 < len(self.agents):
            return self.retire(seat, failed._replace(retired=True))
        self.write(self.step, seat, ASKED, failed)
        raise Stop(Outcome("failed", failed.what))

    def retire(self, seat: int, failed: event.Failed, write: bool = True) -> int:
        if write:
            self.write(self.step, seat, ASKED, self.listed(failed))
        self.retired.add(seat)
        return -1

    def advance(self, moves: np.ndarray) -> bool:
        """One step of the game; its outcome goes into the log. True when the match is over."""
        self.state, flags, rows, facts, now = self.ruled(self.forward, self.key, self.state, moves)
        round_over, ended, truncated = np.asarray(flags).tolist()
        if self.step not in self.past.written:
            rewards, deeds = np.asarray(rows).tolist()
            tail = self.by_seat(rewards, deeds, {name: np.asarray(fact).tolist() for name, fact in facts.items()})
            self.write(self.step, event.TABLE, 0, event.Stepped(self.round, round_over, ended, truncated, *tail))
        self.round += round_over
        if ended or truncated:
            self.write(self.step + 1, event.TABLE, 0, event.Finished(self.round - 1, ended))
        self.see(now)
        return ended or truncated

    def ruled(self, call: Callable[..., Any], *arguments: Any) -> Any:
        """What the game says; the match fails where it raises."""
        try:
            return call(*arguments)
        except Exception as error:
            raise self.broken(error) from error

    def broken(self, error: Exception) -> Stop:
        """The end of a match whose game is to blame."""
        failed = event.Failed("game", f"{type(error).__name__}: {error}")
        self.write(self.step, event.TABLE, ASKED, failed)
        return Stop(Outcome("failed", failed.what))

    def by_seat(
        self, rewards: list[float], deeds: list[float], facts: dict[str, Any]
    ) -> tuple[list[float], list[float | None], list[int], dict[str, Any]]:  # fmt: skip
        """(rewards, deeds, toward, facts) by place in the seat list."""
        turned = lambda rows: [rows[place] for place in self.places]
        deeds_ = [None if deed != deed else deed for deed in turned(deeds)]
        toward = [self.order[to] if to >= 0 else -1 for to in turned(self.toward)]
        return turned(rewards), deeds_, toward, {name: turned(fact) if isinstance(fact, list) else fact for name, fact in facts.items()}


async def together(calls: list[Coroutine[Any, Any, T]]) -> list[T]:
    """All answers; when one stops the match the others are still awaited, since they may have been paid for."""
    answers = await asyncio.gather(*calls, return_exceptions=True)
    for answer in answers:
        if isinstance(answer, BaseException):
            raise answer
    return [answer for answer in answers if not isinstance(answer, BaseException)]


def sound(agent: Agent, answer: Any) -> Answer:
    """The answer. Raises where it is none, or cannot go into the log."""
    if not isinstance(answer, Answer):
        raise TypeError(f"an agent gives an Answer, not {answer!r:.60}")
    if not all(isinstance(text, str) for text in (answer.text, answer.says, answer.refused)):
        raise TypeError(f"what an agent says is text, not {answer!r:.120}")
    if not agent.pure and not answer.refused:
        dumps([agent.keep(answer.memory), answer.usage])
    return answer


def transplant(old: Game, state: Any, new: Game, fresh: Any) -> Any:
    """The state of `new` in which every layer that `old` has too goes on where it was, and the others start."""
    known = dict(zip([layer.label for layer in layers(old)], _states(state, len(layers(old))), strict=True))
    out = None
    for layer, start in zip(layers(new), _states(fresh, len(layers(new))), strict=True):
        mine = known.get(layer.label, start)
        out = mine if out is None else mine._replace(game=out)
    return out


def _states(state: Any, depth: int) -> list[Any]:
    """The state of each layer, the base game's first."""
    out = [state]
    for _ in range(depth - 1):
        out.append(out[-1].game)
    return out[::-1]
