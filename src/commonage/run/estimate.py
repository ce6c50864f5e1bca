"""What a study will ask of models, before anything is sent: calls, tokens and money of each seat.

A few matches of each arm are played with a seeded fake in the models' seats, once with short, once with usual and
once with long replies. The low end takes the rounds that random play lasts; for the others the fake takes little, so
that what is shared lasts longer, and rounds that still miss are added in a straight line.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from commonage.models.budget import money
from commonage.models.desk import refusal
from commonage.models.prices import Price, Prices
from commonage.run import generations, seats
from commonage.run.rehearsal import LONG, SHORT, USUAL, Played, rehearsable, rehearse
from commonage.run.seats import leaves

if TYPE_CHECKING:
    from commonage.run.study import Built, Study

ENDS = ("low", "likely", "high")
ASSUMED = (
    f"replies of {SHORT.reply} to {LONG.reply} tokens, {USUAL.reply} in the middle (max_tokens in a seat caps them; hidden reasoning "
    f"comes on top), {LONG.bytes:g} to {SHORT.bytes:g} bytes a token, all rounds played (low end: as long as random players last), "
    "no answer asked for twice, nothing in the cache, no discount for cached prompts"
)


class Sum(NamedTuple):
    """What a seat, or all of them, will ask for; money None: no price is known."""

    calls: float = 0.0
    tokens_in: float = 0.0
    tokens_out: float = 0.0
    money: float | None = 0.0

    def plus(self, other: Sum) -> Sum:
        """Both together."""
        paid = None if self.money is None or other.money is None else self.money + other.money
        return Sum(self.calls + other.calls, self.tokens_in + other.tokens_in, self.tokens_out + other.tokens_out, paid)

    def end(self, most: Callable[[float, float], float], middle: Sum) -> Sum:
        """An end that holds the middle, which was rehearsed apart from it; `most` is min or max."""
        paid = None if self.money is None or middle.money is None else most(self.money, middle.money)
        calls, taken, given = (most(*pair) for pair in zip(self[:3], middle[:3], strict=True))
        return Sum(calls, taken, given, paid)

    def times(self, count: int) -> Sum:
        """The same so often."""
        paid = None if self.money is None else count * self.money
        return Sum(count * self.calls, count * self.tokens_in, count * self.tokens_out, paid)

    @property
    def tokens(self) -> float:
        """In and out."""
        return self.tokens_in + self.tokens_out


class Row(NamedTuple):
    """One seat of one arm and one model that it asks; over all repeats."""

    arm: int
    seat: int
    who: str
    model: str
    price: Price | None
    low: Sum
    likely: Sum
    high: Sum

    def json(self) -> dict[str, Any]:
        """Arms and seats count from 1."""
        sums = {end: getattr(self, end)._asdict() for end in ENDS}
        return {**self._asdict(), "arm": self.arm + 1, "seat": self.seat + 1, "price": self.price and list(self.price), **sums}


class Estimate(NamedTuple):
    """The rows of a study, and of which seats there is none."""

    rows: list[Row]
    unknown: list[str]  # seats that cost but that cannot be rehearsed: agents of your own

    def total(self, end: str) -> Sum:
        """Over all rows: `low`, `likely` or `high`."""
        out = Sum()
        for row in self.rows:
            out = out.plus(getattr(row, end))
        return out

    @property
    def paid(self) -> bool:
        """Whether any seat costs, as far as is known."""
        return bool(self.unknown) or any(row.price is None or not row.price.free for row in self.rows)

    @property
    def flag(self) -> str:
        """The budget that the high end needs: money, or tokens where a price is not known."""
        high = self.total("high")
        if high.money is None or not high.money:
            return f"--budget {_up(high.tokens / 1e3)}ktok"
        return f"--budget {_up(high.money)}"

    def json(self) -> dict[str, Any]:
        """{"rows": [{"arm", "seat", "model", "low", "likely", "high"}], "low", "likely", "high", "assumed"}."""
        total = {end: self.total(end)._asdict() for end in ENDS}
        return {"rows": [row.json() for row in self.rows], **total, "unknown": self.unknown, "assumed": self.assumed}

    def text(self) -> str:
        """A line for each arm and kind of seat, the total, and what is assumed. "" where no model is asked."""
        if not self.rows:
            return ""
        lines = [f"  arm {arm}, {who}: {_line(*ends)}" for arm, who, ends in self._grouped()]
        if len(lines) > 1:
            lines.append(f"  together: {_line(*(self.total(end) for end in ENDS))}")
        return "\n".join([*lines, f"  Assumed: {self.assumed}."])

    @property
    def assumed(self) -> str:
        """What the numbers rest on."""
        return f"{ASSUMED}, list prices of {Prices().date} where you give none" if self.paid else ASSUMED

    def _grouped(self) -> list[tuple[int, str, list[Sum]]]:
        """Equal seats of an arm in one line."""
        groups: dict[tuple[int, str], list[Row]] = {}
        for row in self.rows:
            groups.setdefault((row.arm + 1, row.who), []).append(row)
        out = []
        for (arm, who), rows in groups.items():
            seats = len({row.seat for row in rows})
            ends = [Estimate(rows, []).total(end) for end in ENDS]
            out.append((arm, f"{who}*{seats}" if seats > 1 else who, ends))
        return out


async def estimate(study: Study) -> Estimate:
    """Rehearses every arm with a model in it."""
    rows = list[Row]()
    for arm in study.built:
        if any(rehearsable(leaf) for agent in arm.agents for leaf in leaves(agent)):
            rows += _rows(study, arm, [await rehearse(study, arm, scene) for scene in (SHORT, USUAL, LONG)])
    return Estimate(rows, _own(study))


async def refused(study: Study) -> str:
    """Why the study cannot be run: a budget that does not do, the estimate, and what would; a key that is missing.

    "" where it can, or where nothing new is asked for.
    """
    limits, prices = study.limits, Prices(study.limits.prices)
    if limits.cached_only:
        return ""
    models: list[Any] = [leaf for arm in study.built for agent in arm.agents for leaf in leaves(agent) if rehearsable(leaf)]
    wrong = [leaf.model.name for leaf in models if refusal("", prices.of(leaf.model, leaf.price), limits.budget)]
    names = list(dict.fromkeys(wrong + (_own(study) if limits.budget is None else [])))
    if not names:
        lacks = [model.lacks for arm in study.built for model in seats.models(arm.agents) if model.lacks]
        return "; ".join(dict.fromkeys(lacks))
    found = await estimate(study)
    way = f"{found.flag} covers the high end" if found.rows else ""
    return "\n".join(text for text in (refusal(", ".join(names), None, limits.budget), found.text(), way) if text)


def _own(study: Study) -> list[str]:
    """Seats that cost and cannot be rehearsed: agents of one's own, which no desk serves."""
    seated = [pair for arm in study.built for pair in zip(arm.seats, arm.agents, strict=True)]
    paid = [seat for seat, agent in seated if any(leaf.costs and not rehearsable(leaf) for leaf in leaves(agent))]
    return list(dict.fromkeys(seats.write([seat]) for seat in paid))


def _rows(study: Study, arm: Built, scenes: list[Played]) -> list[Row]:
    """One row for each seat and model; the low end as it was played, the others to the last round."""
    lasts, rows = (0, arm.game.rounds, arm.game.rounds), list[Row]()
    for key in dict.fromkeys((one.seat, one.model, one.price) for scene in scenes for one in (*scene.heard, *scene.births[0])):
        sums = [
            _sum(scene, key, last).times(arm.count).plus(_births(scene, key, often)).times(arm.repeats)
            for scene, last, often in zip(scenes, lasts, generations.newcomers(arm.generations, arm.seats), strict=True)
        ]
        low, likely, high = sums
        ends = low.end(min, likely), likely, high.end(max, likely)
        rows.append(Row(arm.number, key[0], seats.write([arm.seats[key[0]]]), *key[1:], *ends))
    return sorted(rows, key=lambda row: row[:2])


def _sum(scene: Played, key: tuple[int, str, Price | None], last: int) -> Sum:
    """What one match asks of a seat and model: the mean of the calls that were heard and those that are missing to the `last` round."""
    mine = [one for one in scene.heard if (one.seat, one.model, one.price) == key]
    if not mine:
        return Sum()
    rounds, tokens = np.array([one.round for one in mine]), np.array([one.tokens_in for one in mine])
    each = len(mine) / max(sum(scene.rounds), 1)  # calls a round
    told = each * sum(one.turn + one.tokens_out for one in mine) / len(mine)  # a round, that a whole history grows by
    slope, start = np.polyfit(rounds, tokens, 1) if len(set(rounds)) > 1 else (told, tokens.mean() - told)
    missing = np.concatenate([np.arange(played, max(last, played)) + 1 for played in scene.rounds])
    tokens_in = tokens.sum() + each * np.maximum(start + slope * missing, 0).sum()
    calls = len(mine) + each * len(missing)
    tokens_out = calls * sum(one.tokens_out for one in mine) / len(mine)
    calls, tokens_in, tokens_out = (float(amount) / len(scene.rounds) for amount in (calls, tokens_in, tokens_out))
    return Sum(calls, tokens_in, tokens_out, key[2] and key[2].of(tokens_in, tokens_out))


def _births(scene: Played, key: tuple[int, str, Price | None], often: float) -> Sum:
    """What the strategies of one lineage ask of a seat and model: one in the first generation, and `often` as a newcomer."""
    first, later = ([one for one in heard if (one.model, one.price) == key[1:]] for heard in scene.births)
    asked = [one for one in first if one.seat == key[0]][:1]
    if not asked:
        return Sum()
    ins, outs = (
        getattr(asked[0], name) + often * float(np.mean([getattr(one, name) for one in later or first]))
        for name in ("tokens_in", "tokens_out")
    )
    return Sum(1 + often, ins, outs, key[2] and key[2].of(ins, outs))


def _line(low: Sum, likely: Sum, high: Sum) -> str:
    """`1,200 calls [400 - 1,440], 1.9M tokens in [1M - 3M], 180k out [40k - 700k], $0.42 [$0.10 - $2.10]`."""
    words = [
        _range([end.calls for end in (low, likely, high)], "{} calls"),
        _range([end.tokens_in for end in (low, likely, high)], "{} tokens in"),
        _range([end.tokens_out for end in (low, likely, high)], "{} out"),
    ]
    paid = [end.money for end in (low, likely, high)]
    if None in paid:
        return ", ".join([*words, "price not known"])
    return ", ".join([*words, _range(paid, "{}", money) if any(paid) else "free"])


def _range(ends: Sequence[Any], text: str, write: Any = None) -> str:
    low, likely, high = map(write or _short, ends)
    return text.format(likely) + (f" [{low} - {high}]" if low != high else "")


def _short(count: float) -> str:
    """`1,200`, `45k`, `1.9M`."""
    for size, unit in ((1e6, "M"), (1e4, "k")):
        if count >= size:
            return f"{count / (1e6 if unit == 'M' else 1e3):.3g}{unit}"
    return f"{count:,.0f}"


def _up(amount: float) -> str:
    """Rounded up to two digits."""
    size = 10.0 ** (math.floor(math.log10(amount)) - 1)
    return f"{math.ceil(amount / size - 1e-9) * size:.12g}"
