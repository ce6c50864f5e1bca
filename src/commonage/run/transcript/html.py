"""A transcript as one HTML page: no request leaves it, nothing in it runs, it follows light and dark and fits a phone.

Everything that a model, a person or another program wrote is escaped, and what does not show or acts on a screen is shown.
"""

from __future__ import annotations

import html
import itertools
from collections.abc import Sequence
from typing import Any

from commonage import event
from commonage.measure import report, style, words
from commonage.model import Call, Message
from commonage.run.transcript.told import (
    Sent,
    Step,
    Told,
    Turn,
    at,
    came,
    effort,
    entered,
    head,
    listed,
    moved,
    odd,
    plain,
    same,
    settings,
    visible,
)

PAGE = """
a { color: inherit }
h1 { overflow-wrap: anywhere }
.stamp { border: 1px solid var(--arm1); border-radius: 6px; padding: .5rem .8rem; color: var(--arm1); font-weight: 600; max-width: none }
.text { white-space: pre-wrap; overflow-wrap: anywhere; max-width: 80ch }
.turn { border-left: 3px solid; padding: .1rem 0 .1rem .9rem; margin: .9rem 0 }
.turn > * { margin: .25rem 0 }
.did { font-weight: 600 }
.saw { color: var(--muted); font-size: .9rem }
.trouble { color: var(--arm5) }
.says { margin: .4rem 0; font-size: 1.02rem }
.says::before { content: "\\201c" } .says::after { content: "\\201d" }
.message { border: 1px solid var(--rule); border-radius: 6px; margin: .5rem 0; font-size: .86rem }
.message > b { display: block; padding: .25rem .7rem; border-bottom: 1px solid var(--rule); color: var(--muted); font-weight: 600 }
.message > div { padding: .45rem .7rem; max-height: 32rem; overflow: auto; max-width: none }
.reply { border-color: var(--ink) }
.calls { margin: .3rem 0; font-size: .92rem }
.hidden { background: var(--arm5); color: var(--paper); border-radius: 3px; padding: 0 .15em; font-family: ui-monospace, monospace }
.table { color: var(--muted); font-variant-numeric: tabular-nums; font-size: .92rem }
td.right, th.right { text-align: right }
"""


def write(told: Told) -> str:
    """The whole page as text."""
    title, _, rest = head(told).partition("; ")
    stamp = f'<p class="stamp">{_text(", ".join(told.tests))}: {html.escape(report.TEST)}</p>' if told.tests else ""
    rules = "".join(f'<p class="text">{_text(line)}</p>' for line in told.rules)
    parts = [f"<h1>{_text(title)}</h1>", f'<p class="note">{_text(rest)}</p>', stamp, _seats(told), "<h2>The rules</h2>", rules]
    parts += [_round(told, number, list(steps)) for number, steps in itertools.groupby(told.steps, lambda step: step.round)]
    meta = '<meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">'
    safe = """<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">"""
    look = f"<style>{style.css()}{style.PAGE}{PAGE}</style>"
    top = f"<head>{meta}{safe}<title>{html.escape(plain(title))}</title>{look}</head>"
    body = "\n".join(part for part in parts if part)
    return f'<!doctype html>\n<html lang="en">{top}\n<body><main>\n{body}\n</main></body></html>\n'


def _seats(told: Told) -> str:
    """Who sits where, and what was sent for each."""
    sent = [told.sent(place) for place in range(len(told.seats))]
    names = ("calls", "tokens in", "out", "cost") if any(sent) else ()
    head = "<th></th>" + "".join(f'<th class="right">{name}</th>' for name in names)
    rows = []
    for place, (who, calls) in enumerate(zip(told.seats, sent, strict=True)):
        cells = "".join(f'<td class="right">{cell}</td>' for cell in _sums(calls)) if names else ""
        rows.append(f"<tr><th>{_dot(place)}seat {place + 1}: {_text(who)}{listed(told, place)}</th>{cells}</tr>")
    return f'<div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>{"".join(rows)}</tbody></table></div>'


def _sums(calls: Sequence[Call]) -> list[str]:
    if not calls:
        return [""] * 4
    sent = [call for call in calls if not call.cached]
    cached = f" <small>and {len(calls) - len(sent)} from our cache</small>" if len(sent) < len(calls) else ""
    replies = [call.reply for call in sent if call.reply]
    known = [call.cost for call in sent if call.cost is not None]
    cost = words.money(sum(known) if known or not sent else None, len(sent) - len(known))
    return [f"{len(sent)}{cached}", *(f"{sum(getattr(reply, name) for reply in replies):,}" for name in ("tokens_in", "tokens_out")), cost]


def _round(told: Told, number: int, steps: Sequence[Step]) -> str:
    turns = [part for step in steps for part in (*(_turn(told, turn) for turn in step.turns), *_at_table(told, step.table))]
    title = f"Round {number}" if number else "Before the first round"
    return f"<section><h2>{title}</h2>\n{''.join(turns)}</section>"


def _turn(told: Told, turn: Turn) -> str:
    saw = f'<p class="saw text">{_text(turn.view.facts)}</p>' if turn.view else ""
    acts = "\n".join(_act(told, turn, what) for what in turn.acts)
    who = f'<p class="did">seat {turn.place + 1} <small>{_text(told.seats[turn.place])}</small></p>'
    return f'<article class="turn" style="border-color:var(--{style.color(turn.place)})">{who}{saw}\n{acts}</article>\n'


def _act(told: Told, turn: Turn, what: Any) -> str:
    match what:
        case Sent():
            return _call(what)
        case event.Inherited():
            return f'<p class="did text">{_text(entered(told, what))}</p>'
        case event.Moved():
            question = told.questions[what.question]
            forced = " <small>the only legal move</small>" if what.forced else ""
            says = f'<p class="says text">{_text(what.says)}</p>' if what.says else ""
            return f'{_answer(turn, what)}<p class="did">{_text(question.name)}: {_text(moved(question, what.move))}{forced}</p>{says}'
        case event.Asked():
            again = "it was not asked again" if turn.last(what) else "asked again"
            return _answer(turn, what) + _trouble(f"the answer{at(told, what)} could not be read; {again}", what.problem)
        case event.Replaced():
            return _trouble(f"REPLACED by {what.by} ({what.where}){at(told, what)}", what.what)
        case event.Failed():
            return _trouble(f"FAILED ({what.where}){at(told, what)}", what.what)
        case event.Paused():
            return _trouble("PAUSED", what.what)
    return ""


def _answer(turn: Turn, what: Any) -> str:
    return _message(Message("answer", turn.answer(what)), "reply") if turn.answer(what) else ""


def _call(sent: Sent) -> str:
    """Every message as it was sent; those that the call before had, too, stand there."""
    call = sent.call
    shared = f'<p class="note"><a href="#call-{sent.before}">{same(sent)}</a></p>' if sent.shared else ""
    messages = "".join(_message(message) for message in sent.messages[sent.shared :])
    reply = _message(Message("reply", call.reply.text), "reply") if call.reply else _trouble("it came to nothing", call.trouble)
    more = "".join(f'<p class="note">{_text(line)}</p>' for line in odd(sent))
    failed = ' <span class="trouble">came to nothing</span>' if call.reply is None else ""
    summary = f"<summary>{_text(call.model)}{failed} <small>{_text(effort(call))}</small></summary>"
    inside = f'<p class="note">{_text(settings(sent))}</p>{shared}{messages}{reply}{more}'
    return f'<details class="calls" id="call-{sent.number}">{summary}{inside}</details>'


def _message(message: Message, kind: str = "") -> str:
    return f'<div class="message {kind}"><b>{_text(message.role)}</b><div class="text">{_text(message.text)}</div></div>'


def _at_table(told: Told, table: Sequence[Any]) -> list[str]:
    out = []
    for what in table:
        match what:
            case event.Failed():
                out.append(_trouble(f"the match FAILED ({what.where})", what.what))
            case event.Paused():
                out.append(_trouble("PAUSED", what.what))
            case event.Stepped() | event.Finished():
                out.append(f'<p class="table">{came(told, what)}</p>\n')
    return out


def _trouble(what: str, why: str) -> str:
    return f'<p class="text"><span class="trouble">{html.escape(what)}:</span> {_text(why)}</p>'


def _dot(place: int) -> str:
    return f'<span class="dot" style="background:var(--{style.color(place)})"></span>'


def _text(text: str) -> str:
    """Escaped; what does not show is shown as `\\x1b`, marked."""
    pieces = [(html.escape(piece), hidden) for piece, hidden in visible(text)]
    return "".join(f'<span class="hidden">{piece}</span>' if hidden else piece for piece, hidden in pieces)
