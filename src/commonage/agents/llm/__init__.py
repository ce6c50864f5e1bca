"""A language model takes a seat: `llm:provider/org/model:tag(verb=chat, temperature=0.7, memory=recent(12), persona="...")`.

The rules once, the facts each turn, one question, one last line that is read strictly. Nothing is read into an answer.
"""

from __future__ import annotations

import bisect
import functools
import hashlib
import itertools
import re
from collections.abc import Sequence
from typing import Any

import jax
import numpy as np

from commonage import seeds
from commonage.agent import Agent, Answer, Elder, View
from commonage.agents.llm import memory as memories
from commonage.agents.llm import prompts
from commonage.agents.llm.memory import Item, Thread
from commonage.errors import SpecError
from commonage.game import owners
from commonage.learn.rollout import stream
from commonage.model import MOST, Model, Reply
from commonage.models import desk, providers
from commonage.models.prices import Prices, here

LONGEST = 8_000  # characters of its own words that a seat is shown again
UNFIT = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")  # control characters and halves of characters
MARKS = re.compile(r"<(?=[|｜]|/?s>|/?(start|end)_of_turn>|[be]os>)|\[(?=/?(INST|SYSTEM_PROMPT)\])")  # servers end a message there
CUT = "\n[cut off at max_tokens]"
MEMBERS = 100  # calls of one answer that a member of a team may make, and members that a team may have


class Llm(Agent):
    """Asks a model by `chat`, or by `decide`: then the move is drawn from the probabilities, with the seat's own stream.

    With verb=decide, amounts, questions of speech and those with more than 20 legal options are asked by `chat`.
    `memory`: full, recent(12) or summary(12) (rounds), last(10) (its own turns), faithful. `persona`: a text before the rules.
    `reasoning`: whether it is asked to reason before its last line. `temperature=none`, `max_tokens=none`: the server's own.
    `price`: [in, out] or [in, out, cached in], money per million tokens. `address`, `key_env`: another server, and the
    environment variable with its key. `timeout`: seconds a call. `seed`: whether requests carry a seed drawn from the
    match's stream; none: on this machine they do.

    `model` is a name, or a Model. Raises SpecError for a name that leads nowhere and for values that break a rule.
    """

    boundary = "model"
    writes = True

    def __init__(
        self, model: str | Model, verb: str = "chat", temperature: float | None = 0.7, memory: Any = "full", persona: str = "",
        max_tokens: int | None = 400, price: Sequence[float] | None = None, address: str = "", key_env: str = "",
        timeout: float | None = None, reasoning: bool = True, seed: bool | None = None,
    ) -> None:  # fmt: skip
        _require("verb", verb, verb in ("chat", "decide"), "chat or decide")
        _require("temperature", temperature, temperature is None or (_number(temperature) and 0 <= temperature <= 5), "0 to 5, or none")
        _require("max_tokens", max_tokens, max_tokens is None or (type(max_tokens) is int and max_tokens >= 1), "at least 1, or none")
        _require("persona", persona, isinstance(persona, str), "a text in quotes")
        _require("timeout", timeout, timeout is None or (_number(timeout) and timeout > 0), "seconds, above 0")
        _require("reasoning", reasoning, isinstance(reasoning, bool), "true or false")
        _require("seed", seed, seed is None or isinstance(seed, bool), "true, false or none")
        self.model = model if isinstance(model, Model) else providers.resolve(model, address, key_env)
        _require("verb", verb, verb in self.model.verbs, f"one that {self.model.name} has: {', '.join(self.model.verbs)}")
        self.verb, self.persona, self.reasoning, self.memory = verb, persona, reasoning, memories.kind(memory)
        self.price, self.timeout = price, timeout
        given = {"temperature": temperature, "max_tokens": max_tokens}
        self.settings = {name: value for name, value in given.items() if value is not None}
        self.seeded = here(self.model.address) if seed is None else seed
        cost = Prices().of(self.model, price)
        self.costs = not (cost and cost.free)  # type: ignore[misc]

    async def __call__(self, view: View) -> Answer:
        with prompts.speaking(view.game.language):
            turn = _Turn(self, view)
            try:
                return await turn.answer()
            except _Refused as refused:
                return Answer(text=turn.replies[-1].text, refused=str(refused), usage=turn.usage)

    async def inherit(self, view: View, elders: Sequence[Elder]) -> Answer:
        """One call. The text is cut in the middle where it is very long, as all that a seat is shown again."""
        turn = _Turn(self, view)
        try:
            reply = await turn.call("chat", (), prompts.inherit(elders, view.problem))
        except _Refused as refused:
            return Answer(text=turn.replies[-1].text, refused=str(refused), usage=turn.usage)
        return Answer(text=bounded(reply.text), usage=turn.usage)

    def keep(self, memory: Any) -> Any:
        """The item of the last answer: the log has those before it."""
        return memory[-1] if memory else None

    async def recall(self, view: View, kept: Any) -> Any:
        """Without calls. Nothing was kept where somebody else sat here: of those turns it knows what was to be seen."""
        past: list[Item] = view.memory or []
        with prompts.speaking(view.game.language):
            return [*past, kept or _item(view, self.memory.watched(view, past))]


class _Refused(Exception):
    """The model will not answer; the text is why."""


class _Turn:
    """One answer of one seat, and the calls that it takes."""

    def __init__(self, agent: Llm, view: View) -> None:
        self.agent, self.view, self.past = agent, view, list[Item](view.memory or [])
        self.head = prompts.system(view, agent.persona)
        self.first = functools.reduce(lambda number, member: (number + member + 1) * MEMBERS, view.member, 0)
        self.replies = list[Reply]()

    @property
    def usage(self) -> dict[str, float]:
        return {"calls": len(self.replies), "tokens": sum(reply.tokens_in + reply.tokens_out for reply in self.replies)}

    async def answer(self) -> Answer:
        agent, view = self.agent, self.view
        options = decidable(view) if agent.verb == "decide" else ()
        verb = "decide" if options else "chat"
        thread, item = await agent.memory.before(view, self.past, self.think)
        asked = prompts.turn(view, memories.news(view, self.past), verb=verb, reasoning=agent.reasoning)
        reply = await self.call(verb, thread, asked, [option for _, option in options])
        move, text, answered = drawn(view, options, reply) if options else (None, whole(reply), reply.text)
        item = _item(view, item | agent.memory.after(view, asked, bounded(answered)))
        return Answer(move, text, memory=[*self.past, item], usage=self.usage)

    async def think(self, question: str, thread: Thread = ()) -> str:
        """Words of its own: never read as a move."""
        reply = await self.call("chat", thread, question)
        if not reply.text.strip():
            raise _Refused(f"it had no words for: {question.splitlines()[-1][:60]}")
        return bounded(reply.text)

    async def call(self, verb: str, thread: Thread, question: str, options: Sequence[str] = ()) -> Reply:
        agent, number = self.agent, self.first + len(self.replies)
        messages, settings = prompts.dialogue(self.head, thread, question), self.settings(verb, number)
        reply = await desk.current().call(
            agent.model, verb, messages, options, settings, view=self.view, number=number, price=agent.price, timeout=agent.timeout
        )
        self.replies.append(reply)
        if reply.refusal or reply.finish == "content_filter":
            raise _Refused(reply.refusal or "the provider's content filter")
        return reply

    def settings(self, verb: str, number: int) -> dict[str, Any]:
        """Of `decide` only the seed has a meaning: it draws the order in which options are listed."""
        seed = {"seed": _seed(self.view, number)} if self.agent.seeded or verb == "decide" else {}
        return {**self.agent.settings, **seed} if verb == "chat" else seed


def whole(reply: Reply) -> str:
    """Its text to be read; one that was cut off has no last line: of `12` a `1` may be left, a move that nobody made."""
    return reply.text + CUT if reply.finish == "length" else reply.text


def _seed(view: View, number: int) -> int:
    """31 bits for a call: another repeat draws afresh, the same match the same."""
    place = np.asarray(view.key).tolist(), view.place, view.step, view.attempt, number
    return int.from_bytes(hashlib.sha256(repr(place).encode()).digest()[:4], "big") >> 1


def decidable(view: View) -> Sequence[tuple[int, str]]:
    """The legal moves in words, where `decide` can tell them apart; () for amounts, speech, and more than 20 of them."""
    question = view.question
    legal = [(move, option) for move, option in enumerate(question.options) if view.allows(move)]
    return () if question.speech or len(legal) > MOST else legal


def drawn(view: View, options: Sequence[tuple[int, str]], reply: Reply) -> tuple[int, str, str]:
    """(move, the probabilities in words, the move in words)."""
    if not (len(reply.p) == len(options) and min(reply.p) >= 0 and abs(sum(reply.p) - 1) < 1e-3):
        raise _Refused(f"{list(reply.p)!r:.80} are no probabilities of {len(options)} options")
    move, option = options[draw(view, reply.p)]
    return move, ", ".join(f"{name} {p:.4g}" for (_, name), p in zip(options, reply.p, strict=True)), option


def draw(view: View, p: Sequence[float]) -> int:
    """An index with these probabilities, by the stream that a policy in this seat would draw from."""
    point = _point(view.key, owners(view.game)[view.which], view.place, view.member, view.count)
    reached = list(itertools.accumulate(p))
    return bisect.bisect_right(reached, float(point) * reached[-1])


@functools.partial(jax.jit, static_argnums=(1, 3))
def _point(key: Any, layer: str, place: Any, member: tuple[int, ...], count: Any) -> Any:
    """float32[] in [0, 1). The members of a team draw apart."""
    draws = stream(key, place, layer)
    return seeds.uniform(seeds.nth(seeds.fold(draws, "member", *member) if member else draws, count))


def bounded(text: str) -> str:
    """A model's own words as it is shown them again: of a long text both ends, and nothing that no text may hold."""
    half = LONGEST // 2
    text = text if len(text) <= LONGEST else f"{text[:half]}\n[...]\n{text[-half:]}"
    return MARKS.sub(lambda found: prompts.escaped(found[0]), UNFIT.sub("\ufffd", text))


def _item(view: View, holds: Item) -> Item:
    return {"round": view.round, "step": view.step, **holds}


def _number(value: Any) -> bool:
    return type(value) in (int, float)


def _require(name: str, value: Any, rule: bool, says: str) -> None:
    if not rule:
        raise SpecError(f"llm({name}={value!r}): {name} must be {says}")
