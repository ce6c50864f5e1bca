# pyright: strict, reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
"""Reading what a server sends: a reply, an error, or something that is neither. Pure functions; every server bends the protocol."""

from __future__ import annotations

import email.utils
import json
import math
import time
from collections.abc import Mapping, Sequence
from typing import Any

from commonage.model import Message, Reply, Trouble

AGAIN = {408, 409, 425, 429, 500, 502, 503, 504, 520, 521, 522, 523, 524, 529}  # statuses that may be gone the next time
SPENT = {"insufficient_quota", "billing_hard_limit_reached"}  # a 429 that no waiting cures
REFUSED = {  # errors that are about what was said, not about the way: the agent's to answer for
    "content_filter", "content_policy_violation", "moderation_blocked", "context_length_exceeded", "exceed_context_size_error",
}  # fmt: skip


class Refused(Trouble):
    """The server won't take what was said."""


def json_object(body: bytes) -> dict[str, Any]:
    """A JSON object. Raises Trouble for what is none, or for an error that comes as if it were a reply."""
    try:
        data = json.loads(body)
    except (ValueError, RecursionError):
        what = "a page of HTML (is this the address of the API?)" if body.lstrip()[:1] == b"<" else "something that is no JSON"
        raise Trouble(f"instead of a reply came {what}", 200) from None
    if not isinstance(data, dict):
        raise Trouble("instead of a reply came something that is no JSON object", 200)
    if data.get("error"):
        code = data["error"].get("code") if isinstance(data["error"], dict) else 0
        raise trouble_of(code if isinstance(code, int) and 400 <= code < 600 else 500, data["error"], {})
    return data


def error_in(body: bytes) -> Any:
    """What a body says went wrong: the protocol's object, or its text."""
    try:
        data = json.loads(body)
        return data.get("error") or data
    except (ValueError, RecursionError, AttributeError):
        text = body.decode(errors="replace").strip()
        return "a page of HTML" if text.startswith("<") else text


def trouble_of(status: int, error: Any, headers: Mapping[str, str]) -> Trouble:
    """The Trouble of an HTTP status and what the server says about it."""
    fields: dict[str, Any] = error if isinstance(error, dict) else {"message": error}
    codes = {str(fields.get("code")), str(fields.get("type"))}
    says = short(f"{status} {fields.get('message') or fields.get('detail') or ''}")
    if status in (400, 413, 422) and codes & REFUSED:
        return Refused(says, status, again=False)
    if status in (401, 403):
        says = f"{status}: the server does not accept the key"  # its own words may repeat a part of it
    return Trouble(says, status, status in AGAIN and not codes & SPENT, _seconds(headers))


def short(text: str) -> str:
    """One line of what a server says, without characters that steer a terminal or that no log can keep."""
    return "".join(char if char.isprintable() else "?" for char in " ".join(text.split())[:200])


def _seconds(headers: Mapping[str, str]) -> float:
    """Retry-After in seconds, as a number or a date; 0 without."""
    value = headers.get("retry-after", "")
    try:
        when = email.utils.parsedate_tz(value)
        seconds = email.utils.mktime_tz(when) - time.time() if when else float(value or 0)
    except (ValueError, OverflowError):
        return 0.0
    return max(seconds, 0.0) if math.isfinite(seconds) else 0.0


def reply_in(data: dict[str, Any], messages: Sequence[Message]) -> Reply:
    """The Reply that a chat completion holds. Null or empty content is one; no choices is Trouble."""
    try:
        choice = data["choices"][0]
        message, finish = choice["message"], short(str(choice.get("finish_reason") or "stop"))
        text = _text(message.get("content"))
        refusal = _text(message.get("refusal")) or ("the provider's content filter" if finish == "content_filter" else "")
    except (LookupError, TypeError, AttributeError):
        raise Trouble("a reply without choices", 200) from None
    return used(data, messages, text)._replace(finish=finish, refusal=refusal)


def _text(content: Any) -> str:
    """Content is text, nothing, or a list of parts. Half characters, which no log can keep, become '?'."""
    if isinstance(content, list):
        content = "".join(str(part.get("text") or "") for part in content if isinstance(part, dict))
    if not isinstance(content, str | None):
        raise TypeError("no text")
    return (content or "").encode(errors="replace").decode()


def used(data: dict[str, Any], messages: Sequence[Message], text: str = "") -> Reply:
    """A Reply with the tokens that were reported (chat and decisions name them differently), or else our guess."""
    usage = _table(data.get("usage"))
    tokens_in, tokens_out = _count(usage, "prompt_tokens", "input_tokens"), _count(usage, "completion_tokens", "output_tokens")
    if not tokens_in:
        return Reply(text, tokens_in=guess(*(message.text for message in messages)), tokens_out=guess(text), counted=False)
    details = _table(usage.get("prompt_tokens_details") or usage.get("input_tokens_details"))
    cached = _count(details, "cached_tokens") or _count(usage, "prompt_cache_hit_tokens")
    return Reply(text, tokens_in=tokens_in, tokens_out=tokens_out, tokens_cached=min(cached, tokens_in))


def _table(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _count(usage: dict[str, Any], *names: str) -> int:
    """The first of these that is a count that can be; 0 without."""
    return next((usage[name] for name in names if type(usage.get(name)) is int and 0 < usage[name] < 10**9), 0)


def guess(*texts: str) -> int:
    """Tokens of some texts, roughly: four bytes a token."""
    return sum(len(text.encode()) for text in texts) // 4 + 1
