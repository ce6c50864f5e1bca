# pyright: strict
"""What a model can do, found out by asking it: `commonage models MODEL`. Servers lie; what stands here was seen in a reply.

At most 24 short requests (`REQUESTS`), sent without a desk: whoever calls it asks first whether they may be paid.
"""

from __future__ import annotations

import asyncio
import json
import math
import time
from collections.abc import Awaitable
from statistics import NormalDist, median
from typing import Any

from commonage.model import Message, Model, Reply, Trouble
from commonage.models.prices import Prices

SECONDS, TOKENS = 60.0, 200  # for each call: the first one may have to load the model; some models think before they say a word
PICK = "Pick a word. Answer with exactly one of: {}"
PAIRS = (  # no reason for either
    ("red", "blue"), ("left", "right"), ("tea", "coffee"), ("oak", "birch"),
    ("north", "south"), ("circle", "square"), ("river", "lake"), ("copper", "tin"),
)  # fmt: skip
REQUESTS = 8 + 2 * len(PAIRS)
SCHEMA = {"type": "object", "properties": {"colour": {"type": "string"}}, "required": ["colour"], "additionalProperties": False}
FORMAT = {"type": "json_schema", "json_schema": {"name": "colour", "strict": True, "schema": SCHEMA}}
Z = NormalDist().inv_cdf(0.975)


class _Asked:
    """The calls of a probe: their replies, how long they took, and what came in between."""

    def __init__(self, model: Model) -> None:
        self.model, self.seconds, self.trouble = model, list[float](), dict[str, str]()

    async def chat(self, about: str, text: str, **settings: Any) -> Reply | None:
        """A reply; None where there was none or it was a refusal, with the reason under `about`."""
        return await self._reply(about, self.model.chat([Message("user", text)], max_tokens=TOKENS, **settings))

    async def decide(self, about: str, pair: tuple[str, str], **settings: Any) -> Reply | None:
        """Probabilities for two words; None as in `chat`."""
        question = [Message("user", "Pick one of two words.")]
        return await self._reply(about, self.model.decide(question, pair, **settings))

    async def _reply(self, about: str, asked: Awaitable[Reply]) -> Reply | None:
        start = time.monotonic()
        try:
            reply = await asyncio.wait_for(asked, SECONDS)
        except (Trouble, TimeoutError) as error:
            self.trouble.setdefault(about, str(error) or f"no answer within {SECONDS:g} s")
            return None
        self.seconds.append(time.monotonic() - start)
        if reply.refusal:
            self.trouble.setdefault(about, reply.refusal)
        return None if reply.refusal else reply


async def probe(model: Model) -> dict[str, Any]:
    """Plain data that prints as JSON. What was not found out is None, with the reason under `trouble`.

    `order_bias`: how often, of eight pairs of words that give no reason for either and are asked in both orders, the word
    listed first is chosen (0.5: no bias), with 95 % limits (Wilson 1927); by `decide` where it works, else by `chat`.
    """
    asked = _Asked(model)
    hello = await asked.chat("chat", PICK.format(", ".join(PAIRS[0])))
    shaped = await asked.chat("json_schema", "Name a colour.", response_format=FORMAT) if hello else None
    decided = await asked.decide("decide", PAIRS[0]) if hello and "decide" in model.verbs else None
    route = _kept(decided).get("route")
    labels = await asked.decide("log-probabilities", PAIRS[0], route="labels", least_mass=0.0) if hello and model.address else None
    price = Prices().of(model)
    return {
        "model": model.name,
        "address": model.address,
        "test_model": model.test,
        "verbs": [verb for verb, reply in (("chat", hello), ("decide", decided)) if reply],
        "decide_route": route,
        "logprobs": bool(labels) if hello and model.address else None,
        "label_mass": None if labels is None or math.isnan(labels.mass) else round(labels.mass, 4),
        "json_schema": shaped and _keeps(shaped.text),
        "order_bias": await _order_bias(asked, "decide" if route else "chat") if hello else None,
        "tokens": {"in": hello.tokens_in, "out": hello.tokens_out, "reported": hello.counted} if hello else None,
        "price": None if price is None else list(price),
        "seconds": round(median(asked.seconds), 3) if asked.seconds else None,
        "trouble": asked.trouble,
    }


async def _order_bias(asked: _Asked, verb: str) -> dict[str, Any] | None:
    firsts = [share for pair in PAIRS for share in await (_decided if verb == "decide" else _said)(asked, pair)]
    return {"verb": verb, **_rate(math.fsum(firsts), len(firsts))} if firsts else None


async def _decided(asked: _Asked, pair: tuple[str, str]) -> list[float]:
    """The probability of the word listed first, in both orders."""
    kept = _kept(await asked.decide("order_bias", pair))
    return [p[order[0]] for order, p in zip(kept.get("orders", ()), kept.get("p", ()), strict=True)]


async def _said(asked: _Asked, pair: tuple[str, str]) -> list[float]:
    """1 where the word listed first is said, 0 where the other is; nothing where neither."""
    firsts = list[float]()
    for listed in (pair, pair[::-1]):
        reply = await asked.chat("order_bias", PICK.format(", ".join(listed)), temperature=1)
        word = reply.text.strip().splitlines()[-1].strip(" .\"'*").lower() if reply and reply.text.strip() else ""
        firsts += [float(word == listed[0])] if word in listed else []
    return firsts


def _rate(successes: float, n: int) -> dict[str, float]:
    p = successes / n
    middle, half = p + Z * Z / (2 * n), Z * math.sqrt(p * (1 - p) / n + Z * Z / (4 * n * n))
    low, high = ((middle + sign * half) / (1 + Z * Z / n) for sign in (-1, 1))
    return {"first": round(p, 4), "low": round(max(low, 0.0), 4), "high": round(min(high, 1.0), 4), "n": n}


def _kept(reply: Reply | None) -> dict[str, Any]:
    """What a decision keeps of its orders; nothing where the model computes here and keeps none."""
    return json.loads(reply.text) if reply and reply.text else {}


def _keeps(text: str) -> bool:
    """Whether a reply is what SCHEMA asks for, and nothing else."""
    try:
        value = json.loads(text)
        return set(value) == {"colour"} and isinstance(value["colour"], str)
    except (ValueError, TypeError):
        return False


def told(found: dict[str, Any]) -> str:
    """A probe in words, one line each."""
    bias, tokens, price = found["order_bias"], found["tokens"], found["price"]
    lines = {
        "at": found["address"] or "this process",
        "verbs": ", ".join(found["verbs"]) or "none works",
        "decide by": found["decide_route"],
        "log-probabilities": _yes(found["logprobs"]) + _mass(found["label_mass"]),
        "json schema": _yes(found["json_schema"], "yes: a reply kept to it", "no: the reply did not keep to it"),
        "first of two": bias
        and f"{bias['first']:.2f} [{bias['low']:.2f}, {bias['high']:.2f}] of {bias['n']} by {bias['verb']}; 0.5 = no bias",
        "tokens": tokens and f"{tokens['in']} in, {tokens['out']} out{'' if tokens['reported'] else ': our estimate, it reports none'}",
        "price": "not known" if price is None else "free" if not any(price) else f"{price[0]:g} in, {price[1]:g} out per million tokens",
        "a call takes": found["seconds"] is not None and f"{found['seconds']:.3f} s",
    }
    head = f"{found['model']}{'   TEST MODEL' if found['test_model'] else ''}"
    body = [f"  {name:<18} {words}" for name, words in lines.items() if words]
    return "\n".join([head, *body, *(f"  {about}: {why}" for about, why in found["trouble"].items())])


def _yes(value: bool | None, yes: str = "yes", no: str = "no") -> str:
    return "" if value is None else yes if value else no


def _mass(mass: float | None) -> str:
    return "" if mass is None else f"; {mass:.2f} of the probability on the labels of two options"
