# pyright: strict
"""What stands between agents and models: cache -> limits -> budget -> the request -> tries -> price -> record.

    desk = Desk(Limits(budget="2"))
    with desk.using(), recording(record):
        reply = await current().call(model, "chat", messages, view=view, number=0)

A study has one desk. It closes the way to an endpoint that is in trouble, so that all its other matches pause at once.
"""

from __future__ import annotations

import asyncio
import functools
import random
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, NamedTuple, Self

import numpy as np

from commonage.errors import Pause, SpecError
from commonage.model import Call, Message, Model, Reply, Trouble
from commonage.models import cache, decide
from commonage.models.budget import RULE, Budget, Purse, Spent
from commonage.models.limits import Lane, Limits, clock
from commonage.models.prices import Price, Prices
from commonage.models.soon import Soon

Record = Callable[[int, int, int, int, Call], None]  # (step, seat, attempt, number, call)
TRIES, WAIT = 4, 0.5  # seconds before the second try, about; twice as long before the third ...
FRAME = 8  # tokens around a message
OUT = 1_000  # tokens that a reply may have where nobody says max_tokens
OWN = (400, 404, 405, 409, 413, 415, 422)  # statuses that are about this one request: the way stays open for others

_DESK: ContextVar[Desk | None] = ContextVar("desk", default=None)
_RECORD: ContextVar[Record | None] = ContextVar("record", default=None)


def current() -> Desk:
    """The desk of the study that runs; outside of one a desk without budget and cache."""
    return _DESK.get() or Desk(Limits(cache=False))


@contextmanager
def recording(record: Record) -> Generator[None]:
    """Inside of it calls are handed to `record` when they are over, before anybody gets the reply."""
    token = _RECORD.set(record)
    try:
        yield
    finally:
        _RECORD.reset(token)


class Request(NamedTuple):
    """One call before it is made."""

    model: Model
    verb: str  # chat or decide
    messages: tuple[Message, ...]
    options: tuple[str, ...] = ()  # of decide
    settings: dict[str, Any] = {}

    async def send(self) -> Reply:
        """Once."""
        if self.verb == "decide":
            return await self.model.decide(self.messages, self.options, **self.settings)
        return await self.model.chat(self.messages, **self.settings)

    @property
    def requests(self) -> int:
        """How many requests make this call: `decide` asks in several orders."""
        return 1 if self.verb == "chat" else self.settings.get("orders") or decide.ORDERS

    def size(self, bytes_a_token: float = 3.0) -> float:
        """Tokens in, guessed; on the high side unless said otherwise."""
        count = sum(len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass")) for _, text in self.messages)
        return self.requests * (count / bytes_a_token + FRAME * len(self.messages))

    @property
    def limit(self) -> int:
        """The most tokens out; 0 where nobody says."""
        return self.settings.get("max_tokens") or self.settings.get("max_completion_tokens") or 0

    def says(self, trouble: str) -> str:
        """What is the matter, and where: the same words for all matches that it pauses."""
        return f"{self.model.name}{self.model.address and f' at {self.model.address}'}: {trouble}"

    def call(self, reply: Reply | None, **more: Any) -> Call:
        """The call as it was made."""
        return Call(self.model.name, self.model.address, self.verb, self.messages, self.settings, reply, **more)


class Unaffordable(SpecError, Pause):
    """A call that costs, and no budget that covers it: a wrong command; a match that meets it pauses."""


class Desk:
    """One run's calls: `call` makes them; `purse.spent` says what they took."""

    def __init__(self, limits: Limits | None = None) -> None:
        self.limits = limits or Limits()
        self.prices, self.purse = Prices(self.limits.prices), Purse(self.limits.budget)
        self._commit = Soon(self._write)
        self._lanes: dict[str, Lane] = {}
        self._models: dict[int, Model] = {}
        self._most: dict[tuple[str, str], tuple[float, float]] = {}  # by model and verb: most tokens in per guessed one, most out

    @functools.cached_property
    def cache(self) -> cache.Cache | None:
        """The replies of earlier calls. Raises SpecError where it cannot be opened."""
        where = self.limits.cache
        return cache.Cache(where if isinstance(where, str) else None) if where else None

    @contextmanager
    def using(self) -> Generator[Self]:
        """Inside of it this is the `current` desk."""
        token = _DESK.set(self)
        try:
            yield self
        finally:
            _DESK.reset(token)

    async def close(self) -> None:
        """Let connections, servers and the cache go."""
        try:
            for model in self._models.values():
                await model.close()
        finally:
            if kept := self.__dict__.pop("cache", None):
                kept.close()

    async def call(
        self, model: Model, verb: str, messages: Sequence[Message], options: Sequence[str] = (), settings: dict[str, Any] | None = None, *,
        view: Any, number: int, price: Sequence[float] | None = None, timeout: float | None = None,
    ) -> Reply:  # fmt: skip
        """The reply to one call of the agent that sees `view`; `number` counts its calls within this answer.

        Raises Pause: trouble on the way, the budget, not in the cache; Unaffordable: it costs, and there is no budget.
        """
        request = Request(model, verb, tuple(messages), tuple(options), settings or {})
        cost = self.prices.of(model, price)
        if not self.limits.cached_only and (says := refusal(model.name, cost, self.limits.budget)):
            raise Unaffordable(says)
        name = self._name(request, view, number)
        call = self._known(request, name) or await self._made(request, cost, timeout or self.limits.timeout)
        if name and call.reply and not call.cached:
            self._keep(name, model, call.reply)
        if record := _RECORD.get():
            record(view.step, view.seat, view.attempt, number, call)
        if call.reply is None:
            raise Pause(request.says(call.trouble))
        return call.reply

    def _name(self, request: Request, view: Any, number: int) -> str:
        """Its key in the cache; "" where there is none, or the model computes in this process."""
        if not (self.cache and request.model.address):
            return ""
        place = np.asarray(view.key).tolist(), view.place, view.step, view.attempt, number
        return cache.key(request.model.name, request.model.address, *request[1:], place)

    def _known(self, request: Request, name: str) -> Call | None:
        """The call, if it was made before. Raises Pause where only those may be used."""
        reply = self.cache.get(name) if name and self.cache else None
        if reply is None and self.limits.cached_only and request.model.address:
            raise Pause(request.says("not in the cache, and --cached-only asks for nothing new"))
        return reply and request.call(reply, cached=True, tries=0)

    def _keep(self, name: str, model: Model, reply: Reply) -> None:
        if self.cache:
            self.cache.put(name, model.name, reply)
            self._commit()

    def _write(self) -> None:
        if kept := self.__dict__.get("cache"):  # it may be closed by now
            kept.commit()

    async def _made(self, request: Request, cost: Price | None, timeout: float) -> Call:
        """The call, made now; its reply is None where it came to nothing. Raises Pause where nothing was sent."""
        self._models[id(request.model)] = request.model
        lane, asked, size = self._lane(request.model), clock(), request.size()
        async with lane.slots:
            if lane.closed:
                raise Pause(lane.closed)
            tokens = self._guess(request, size)
            guess = Spent(cost.of(*tokens) if cost else 0.0, sum(tokens))
            await self.purse.hold(guess)
            try:
                call = await self._tried(request, lane, guess, cost, timeout, asked)
                spent = _spent(call, guess)
                self.purse.spend(spent)
            finally:
                self.purse.settle(guess)
            lane.correct(spent.tokens - guess.tokens)
        self._learn(request, call.reply, size)
        return call

    async def _tried(self, request: Request, lane: Lane, guess: Spent, cost: Price | None, timeout: float, asked: float) -> Call:
        """At most four tries within the time-out, the waits between them included."""
        reply, trouble, tries, began, busy, pause = None, Trouble(""), 0, asked, 0.0, 0.0
        while reply is None and trouble.again and tries < TRIES and busy + pause < timeout:
            if tries:
                await lane.wait(pause)
            await lane.turn(guess.tokens, request.requests)
            if lane.closed:
                break
            sent, tries = clock(), tries + 1
            began = sent if tries == 1 else began
            reply, trouble = await _once(request, timeout - busy - pause, timeout)
            busy += pause + clock() - sent
            pause = max(trouble.after, WAIT * 2 ** (tries - 1) * random.uniform(0.5, 1.5))
            if trouble.after:
                lane.rest(trouble.after)
        if not tries:
            raise Pause(lane.closed)
        clocks = {"tries": tries, "seconds": clock() - began, "waited": clock() - asked - busy}
        if reply:
            return request.call(reply, cost=cost and cost.reply(reply), **clocks)
        says = f"{trouble}{f' ({tries} tries)' if tries > 1 else ''}"
        if trouble.status not in OWN:
            lane.close(request.says(says))
        paid = (cost and guess.money) if isinstance(trouble, _Late) else 0.0
        return request.call(None, trouble=says, cost=paid, **clocks)

    def _lane(self, model: Model) -> Lane:
        name = model.address or model.name
        if name not in self._lanes:
            self._lanes[name] = Lane(self.limits)
        return self._lanes[name]

    def _guess(self, request: Request, size: float) -> tuple[float, float]:
        """(tokens in, tokens out) of a call of this size, on the high side: no less than any earlier reply took."""
        ratio, most = self._most.get((request.model.name, request.verb), (1.0, 0.0))
        return size * ratio, request.limit or max(OUT if request.verb == "chat" else request.requests, most)

    def _learn(self, request: Request, reply: Reply | None, size: float) -> None:
        if reply:
            name = request.model.name, request.verb
            ratio, most = self._most.get(name, (1.0, 0.0))
            self._most[name] = max(ratio, reply.tokens_in / max(size, 1)), max(most, reply.tokens_out)


class _Late(Trouble):
    """No reply in time. The server may have computed one, and charge it."""


async def _once(request: Request, left: float, timeout: float) -> tuple[Reply | None, Trouble]:
    """One request: the reply, or what came in its way. An error of a client is no fault of the model behind it, either."""
    try:
        async with asyncio.timeout(left):
            return await request.send(), Trouble("")
    except TimeoutError:
        return None, _Late(f"no answer within {timeout:g} s; --timeout gives it longer", again=False)
    except Trouble as trouble:
        return None, trouble
    except Exception as error:
        return None, Trouble(f"{type(error).__name__}: {error}", again=False)


def _spent(call: Call, guess: Spent) -> Spent:
    """What a call took; one that was late may be charged as it was guessed."""
    if call.reply:
        return Spent(call.cost or 0.0, call.reply.tokens_in + call.reply.tokens_out)
    return guess if call.cost != 0.0 else Spent()


def refusal(name: str, cost: Price | None, budget: Budget | None) -> str:
    """Why calls of a model may not be made with this budget, and the way out; "" where they may."""
    if cost is not None and (cost.free or budget):
        return ""
    if budget is None:
        return f"{name}: paid, and there is no budget, so nothing was sent. Add one: {RULE}"
    if budget.unit == "tokens":
        return ""
    return (
        f"{name}: no price is known, so --budget {budget} cannot be kept and nothing was sent. Write price=[in,out] in the seat "
        f'or "{name}" = [in, out] in prices.toml (money per million tokens), or give a budget in tokens: --budget 200ktok'
    )
