# pyright: strict
"""The contract of a language model behind a seat: two verbs, `chat` and `decide`. Agents speak to it through a `Desk`."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, ClassVar, NamedTuple

MOST = 20  # options that `decide` can tell apart: as many log-probabilities as a chat endpoint gives for one token


class Message(NamedTuple):
    """One message of a conversation; `role`: system, user or assistant."""

    role: str
    text: str


class Reply(NamedTuple):
    """What came back from one request. What the server does not say stays at its default."""

    text: str
    finish: str = "stop"  # stop, length, content_filter ...
    refusal: str = ""  # why it will not answer: the agent's failure, never a move
    tokens_in: int = 0
    tokens_out: int = 0
    tokens_cached: int = 0  # of those in: served from the provider's own prefix cache
    p: tuple[float, ...] = ()  # of `decide`: one probability per option, in the order that was asked
    mass: float = math.nan  # of `decide`: the probability that lay on the labels before it was scaled to 1
    counted: bool = True  # the server reported tokens; else they are our estimate


class Model:
    """One model at one address. It sends a request once: trying again, limits, money and the cache are the desk's.

    Raises `Trouble` for transport (429, 5xx, a time-out, a dropped or cut connection, 401, HTML, no choices): nobody is to
    blame, and the desk decides whether to try again. Null or empty content is a Reply: the agent's to answer for.
    """

    name: ClassVar[str] | str  # as in the seat list, without the scheme: openai/gpt-x, pocket
    address: str = ""  # where requests go; "" = nowhere, it computes here
    verbs: tuple[str, ...] = ("chat",)  # and "decide", where it can
    lacks: str = ""  # what is missing before it can be asked, in words: a key
    test: bool = False  # a TEST MODEL: stamped wherever it appears, and kept out of result tables

    async def chat(self, messages: Sequence[Message], **settings: Any) -> Reply:
        """One reply. `settings`: temperature, max_tokens, seed, and what else this server takes; recorded as given."""
        raise NotImplementedError

    async def decide(self, messages: Sequence[Message], options: Sequence[str], **settings: Any) -> Reply:
        """A probability for each of at most 20 options, in one pass: `p` and `mass` of the Reply. No text is parsed."""
        raise NotImplementedError

    async def close(self) -> None:
        """Let connections and servers go."""


class Trouble(Exception):
    """A request that came to nothing through no fault of the model. `status` is HTTP's, 0 where there was none.

    `again`: worth another try. `after`: seconds that the server asked to wait (Retry-After).
    """

    def __init__(self, what: str, status: int = 0, again: bool = True, after: float = 0.0) -> None:
        super().__init__(what)
        self.status, self.again, self.after = status, again, after


class Call(NamedTuple):
    """One call as it was made: what the log keeps, so that a transcript shows it exactly as sent."""

    model: str
    address: str
    verb: str
    messages: tuple[Message, ...]
    settings: dict[str, Any]
    reply: Reply | None  # None: it came to nothing
    trouble: str = ""
    tries: int = 1  # requests that it took
    cost: float | None = 0.0  # money; None where the price is not known
    seconds: float = 0.0  # from the first request to the reply: a clock column
    waited: float = 0.0  # of these and before them: in the queue, and between tries
    cached: bool = False  # answered from the cache: nothing was sent, nothing is paid
