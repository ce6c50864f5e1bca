# pyright: strict
"""Probabilities instead of text: the routes to them, and how the order of the options is taken out. Sends nothing itself.

A label that stands first is chosen more often than it deserves. So a question is asked in several orders: one order that is
drawn, the same backwards, then both rotated (the first two alone cancel every bias that is linear in the place), and what an
option gets is its mean over them.
"""

from __future__ import annotations

import json
import math
import random
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

from commonage.errors import SpecError
from commonage.model import MOST, Message, Reply, Trouble

MENU = "Choose one of these:\n{menu}\nAnswer with one letter, and nothing else."  # what a label route adds to the question
LINE = "{label}. {option}"
ASK = "Which of these do you choose?"  # of the decision routes, which list the options themselves
LABELS = "ABCDEFGHIJKLMNOPQRST"
BLANK = " \t\n▁Ġ"  # in front of a word: some servers show a tokenizer's own sign for a space
ORDERS, LEAST = 2, 0.5  # orders asked; least probability that must lie on the labels


class Shares(NamedTuple):
    """One order's outcome, as it was listed."""

    p: list[float]  # one per option, summing to 1; empty where it came to nothing
    mass: float = math.nan  # the probability on the labels; not known on a decision route
    refusal: str = ""


class Route(NamedTuple):
    """A way to ask: where, what is sent beside the model's name, and how the reply is read."""

    name: str
    path: str
    body: Callable[[Sequence[Message], Sequence[str]], dict[str, Any]]
    read: Callable[[dict[str, Any], Sequence[str]], Shares]


# Labels over chat


def labelled(messages: Sequence[Message], options: Sequence[str]) -> tuple[Message, ...]:
    """The conversation with the menu under its question: in the same message, since some templates want turns to alternate."""
    lines = (LINE.format(label=label, option=option) for label, option in zip(LABELS, options, strict=False))
    menu = MENU.format(menu="\n".join(lines))
    if messages and messages[-1].role == "user":
        return (*messages[:-1], Message("user", f"{messages[-1].text}\n\n{menu}"))
    return (*messages, Message("user", menu))


def _ask_labels(messages: Sequence[Message], options: Sequence[str]) -> dict[str, Any]:
    one_token = {"max_tokens": 1, "logprobs": True, "top_logprobs": MOST, "temperature": 1, "top_p": 1}
    return {"messages": chat_messages(labelled(messages, options)), **one_token}


def _read_labels(data: dict[str, Any], options: Sequence[str]) -> Shares:
    logprobs = data["choices"][0].get("logprobs")
    if not logprobs:
        raise Trouble("it gives no log-probabilities, so it cannot `decide`: ask with verb=chat", 200, again=False)
    place = {label: i for i, label in enumerate(LABELS[: len(options)])}
    masses = [0.0] * len(options)
    for token, p in _tokens(logprobs.get("content") or [{}]):
        if (i := place.get(token.strip(BLANK))) is not None:
            masses[i] += p
    mass = min(math.fsum(masses), 1.0)
    return Shares(_scaled(masses), mass) if mass else Shares([], 0.0)


def _tokens(content: list[Any]) -> Iterable[tuple[str, float]]:
    """(token, probability) of the first token's alternatives; the one drawn is among them, or follows."""
    first = content[0]
    listed = [(str(one["token"]), _number(one["logprob"])) for one in first.get("top_logprobs") or ()]
    drawn = [(str(first["token"]), _number(first["logprob"]))] if "token" in first else []
    return ((token, math.exp(min(logprob, 0.0))) for token, logprob in listed + [one for one in drawn if one[0] not in dict(listed)])


# Decision endpoints


def _ask_decisions(messages: Sequence[Message], options: Sequence[str]) -> dict[str, Any]:
    question = {"type": "choice", "instructions": ASK, "choices": [{"value": option} for option in options]}
    return {"input": chat_messages(messages), "questions": [question]}


def _read_decisions(data: dict[str, Any], options: Sequence[str]) -> Shares:
    answer = data["answers"][0]
    if answer["type"] == "refusal":
        return Shares([], refusal="it declined to answer")
    return _shares({one["value"]: one["probability"] for one in answer["probabilities"]}, options)


def _ask_systemone(messages: Sequence[Message], options: Sequence[str]) -> dict[str, Any]:
    question = {"type": "choice", "instructions": ASK, "criteria": dict.fromkeys(options)}
    talk = any(message.role == "assistant" for message in messages)
    state = chat_messages(messages) if talk else "\n\n".join(message.text for message in messages)
    return {"state": state, "questions": {"choice": question}}


def _read_systemone(data: dict[str, Any], options: Sequence[str]) -> Shares:
    return _shares(data["answers"]["choice"]["probabilities"], options)


def _shares(given: dict[Any, Any], options: Sequence[str]) -> Shares:
    if set(given) - set(options):
        raise ValueError("an answer to other options")
    return Shares(_scaled([_number(given.get(option, 0.0)) for option in options]))


def _scaled(masses: list[float]) -> list[float]:
    total = math.fsum(masses)
    if not (min(masses) >= 0 and 0 < total < math.inf):
        raise ValueError("no probabilities")
    return [mass / total for mass in masses]


def _number(value: Any) -> float:
    if type(value) not in (int, float) or math.isnan(value):
        raise ValueError("no number")
    return float(value)


ROUTES = {
    route.name: route
    for route in (  # tried in this order: in one pass over all options, or else by labels
        Route("decisions", "/decisions", _ask_decisions, _read_decisions),
        Route("systemone", "/systemone", _ask_systemone, _read_systemone),
        Route("labels", "/chat/completions", _ask_labels, _read_labels),
    )
}


# Common to all


def chat_messages(messages: Sequence[Message]) -> list[dict[str, str]]:
    """Messages as the protocol has them."""
    return [{"role": role, "content": text} for role, text in messages]


def check(options: Sequence[str], route: str = "", many: int = ORDERS) -> None:
    """Raises SpecError where these options cannot be told apart in one pass, the route is none, or there are no orders."""
    if not (2 <= len(options) <= MOST and len(set(options)) == len(options)):
        raise SpecError(f"decide takes 2 to {MOST} different options, not {len(options)}; amounts and speech are asked with verb=chat")
    if route and route not in ROUTES:
        raise SpecError(f"route={route!r}: decide goes by {', '.join(ROUTES)}; leave it out to take the first that the server has")
    if type(many) is not int or many < 1:
        raise SpecError(f"orders={many!r}: how many orders of the options are asked, at least 1")


def orders(options: Sequence[str], many: int, seed: Any = None) -> list[list[int]]:
    """At most `many` different orders of the places of the options, the same for the same seed."""
    size = len(options)
    base = random.Random(f"{seed}:{options}").sample(range(size), size)
    turns = [base[k:] + base[:k] for k in (pair * size // -(-many // 2) for pair in range(-(-many // 2)))]
    both = [tuple(order) for turn in turns for order in (turn, turn[::-1])]
    return [list(order) for order in dict.fromkeys(both)][:many]


def listed_back(order: list[int], shares: Shares) -> Shares:
    """The same with `p` in the order of the options, not of the list."""
    return shares._replace(p=[shares.p[order.index(i)] for i in range(len(order))] if shares.p else [])


def merged(route: str, options: Sequence[str], asked: list[list[int]], outcomes: list[Shares], least: float) -> Reply:
    """The Reply of a decision: `p` is the mean over the orders, `text` keeps each as JSON. Without one it is a refusal."""
    masses = [shares.mass for shares in outcomes]
    p_kept = [[round(p, 6) for p in shares.p] for shares in outcomes]
    mass_kept = [None if math.isnan(mass) else round(mass, 6) for mass in masses]
    text = json.dumps({"route": route, "options": list(options), "orders": asked, "p": p_kept, "mass": mass_kept})
    refusal = next((shares.refusal for shares in outcomes if shares.refusal), "")
    if not refusal and (min(masses) < least or not all(shares.p for shares in outcomes)):  # a mass that is not known is no less
        refusal = f"only {min(masses):.2f} of the probability lay on the labels; at least {least:g} is asked"
    columns = zip(*(shares.p for shares in outcomes), strict=True)
    p = () if refusal else tuple(math.fsum(column) / len(outcomes) for column in columns)
    return Reply(text, refusal=refusal, p=p, mass=math.fsum(masses) / len(masses))


def sent(messages: Sequence[Message], text: str) -> list[tuple[Message, ...]]:
    """The conversations that a decision sent, one for each order, from its messages and the `text` of its Reply.

    On a decision route the last message, of role `question`, stands for the fields beside the conversation.
    """
    kept = json.loads(text)
    listed = [[kept["options"][i] for i in order] for order in kept["orders"]]
    if kept["route"] == "labels":
        return [labelled(messages, options) for options in listed]
    return [(*messages, Message("question", "\n".join((ASK, *options)))) for options in listed]
