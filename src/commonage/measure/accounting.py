"""What models were sent and what it cost: for each seat and arm, with a check that no question was lost or answered unasked.

A question that was put to a seat became a move, a failure, or it is paused; where a match was cut off it may be open.
What was asked is counted in the calls, what came of it in the events: where the two do not add up the log says so.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from commonage import spec
from commonage.errors import SpecError
from commonage.measure import words

BOUNDARIES = ("model", "agent", "game", "limit", "person")
ANSWERED = ("moved", "inherited")  # kinds of events that are what was asked for
QUESTION = ["arm", "match", "step", "seat"]
KEPT = ("", "asked", "moves", "calls", "tokens in", "out", "cost")  # columns of a bill that are always there
SPARE = ("waited", "seconds", "served", "open", "from cache", "retries", "prefix")  # that go first where there is no room
INDENT = "  "  # before a seat that stands under its arm
TABLE = -1  # the seat of what concerns the whole table
Account = dict[str, Any]


def accounts(arms: Sequence[dict[str, Any]], calls: pl.DataFrame, answers: pl.DataFrame) -> dict[int, Account]:
    """By arm: {"seats": [{"seat", "who", ...}], "total": {...}, "wrong": [...]}; of arms that called models or had trouble.

    `calls` and `answers` as `store.read` gives them. Per seat, and in all: `models` and `verbs`; `calls` that were sent and
    those that our cache answered (`cached`); of those sent `tokens_in`, `tokens_out`, `cost` (None: no price known;
    `unpriced` calls are not in it), `seconds` until they were answered, `waited` in the queue and between tries,
    `retries`, `troubles` (calls that came to nothing); `prefix`, the share of the prompt tokens that a prefix cache could
    serve, by what each prompt has in common with the seat's one before, and `prefix_served`, the share that one did, as the
    provider reports; questions `asked`, of which `moves` (strategies that were written among them), `failed` (`failures` by
    boundary), `paused` and `open` (the match was cut off); answers that were `asked_again`. `wrong` says where
    asked = moves + failed + paused + open does not hold.
    """
    seats, totals = (_rows(calls, answers, keys) for keys in (["arm", "seat"], ["arm"]))
    known = {row["arm"] for row in seats}
    return {arm["arm"]: _account(arm, seats, totals) for arm in arms if arm["arm"] in known}


def told(summary: dict[str, Any], arms: Sequence[dict[str, Any]], accounted: Mapping[int, Account]) -> dict[str, Any]:
    """The summary; its arms say which test models sit there, and have their `accounting` where there is any."""
    tests = {arm["arm"]: list(arm.get("test_models", ())) for arm in arms}
    spent = {number: {"accounting": account} for number, account in accounted.items()}
    return {**summary, "arms": [{**arm, "test_models": tests[arm["arm"]], **spent.get(arm["arm"], {})} for arm in summary["arms"]]}


def remarks(account: Account) -> list[str]:
    """What an account says in words: where it does not add up, what it mixes, what it could not price."""
    total, out = account["total"], list(account["wrong"])
    if len(total["verbs"]) > 1:
        out.append(f"it mixes verbs ({', '.join(total['verbs'])}), of which chat is the comparable one")
    if len(total["addresses"]) > 1:
        out.append(f"it mixes endpoints ({', '.join(address or 'this process' for address in total['addresses'])})")
    if total["unpriced"]:
        out.append(f"the price of {words.count(total['unpriced'], 'call')} is not known: counted in tokens")
    return out


def bills(named: Sequence[tuple[str, Account]], several: bool) -> list[dict[str, str]]:
    """Accounts as text by column: for each arm all of it, then its seats that called models or had trouble.

    Columns that say nothing are left out. `several`: there are other arms, so each is named.
    """
    rows = [row for name, account in named for row in _bill(name, account, several)]
    said = [name for name in (rows[0] if rows else ()) if name in KEPT or any(row[name] not in ("", "0", "0.0") for row in rows)]
    return [{name: row[name] for name in said} for row in rows]


def _bill(name: str, account: Account, several: bool) -> list[dict[str, str]]:
    told = ("calls", "cached", "asked_again", "failed", "paused")
    seats = [row for row in account["seats"] if any(row[count] for count in told)]
    whole = [_columns(words.short(name, 36) if several else "in all", account["total"])] if several or len(seats) > 1 else []
    indent = INDENT if whole else ""
    listed = [_columns(f"{indent}{row['seat'] + 1}. {words.short(row['who'] or 'an object', 34)}", row) for row in seats]
    return [*whole, *listed] if seats else []


def _columns(who: str, row: dict[str, Any]) -> dict[str, str]:
    share = lambda value: "" if value is None else f"{100 * value:.0f} %"
    return {
        "": who, "asked": f"{row['asked']:,}", "moves": f"{row['moves']:,}", "again": f"{row['asked_again']:,}",
        "failed": ", ".join(f"{count} {where}" for where, count in row["failures"].items()), "paused": f"{row['paused']:,}",
        "open": f"{row['open']:,}", "calls": f"{row['calls']:,}", "from cache": f"{row['cached']:,}", "retries": f"{row['retries']:,}",
        "tokens in": f"{row['tokens_in']:,}", "out": f"{row['tokens_out']:,}", "prefix": share(row["prefix"]),
        "served": share(row["prefix_served"] or None), "cost": words.money(row["cost"], row["unpriced"]),
        "seconds": f"{row['seconds']:,.1f}", "waited": f"{row['waited']:,.1f}",
    }  # fmt: skip


def _account(arm: dict[str, Any], seats: list[dict[str, Any]], totals: list[dict[str, Any]]) -> Account:
    names = _names(arm)
    rows = [
        {"who": names.get(row["seat"], ""), **_without(row, "arm")} for row in seats if row["arm"] == arm["arm"] and row["seat"] != TABLE
    ]
    total = next(_without(row, "arm") for row in totals if row["arm"] == arm["arm"])
    return {"seats": rows, "total": total, "wrong": [said for row in rows if (said := _wrong(row))]}


def _wrong(row: dict[str, Any]) -> str:
    """Where the questions of a seat do not add up: "" where they do."""
    parts = {name: row[name] for name in ("moves", "failed", "paused", "open")}
    if row["asked"] == sum(parts.values()) and not row["lost"]:
        return ""
    said = ", ".join(f"{count} {name}" for name, count in parts.items())
    return f"seat {row['seat'] + 1} was asked {words.count(row['asked'], 'question')}, and of them the log has {said}"


def _names(arm: dict[str, Any]) -> dict[int, str]:
    """The seat list, one by one."""
    try:
        return {place: str(seat) for place, seat in enumerate(spec.seats(arm.get("spec", {}).get("seats", "")))}
    except SpecError:  # objects of the program that ran the study
        return {}


def _rows(calls: pl.DataFrame, answers: pl.DataFrame, keys: list[str]) -> list[dict[str, Any]]:
    """One row for each seat, or arm."""
    spent, asked, failed = _spent(calls, keys), _asked(calls, answers, keys), _failed(answers, keys)
    frame = asked.join(spent, on=keys, how="full", coalesce=True).join(failed, on=keys, how="full", coalesce=True).sort(keys)
    counts = [name for name, kind in frame.schema.items() if kind.is_integer() and name not in keys]
    frame = frame.with_columns(pl.col(*counts).fill_null(0), pl.col("seconds", "waited").fill_null(0.0))
    return [_told(row) for row in frame.iter_rows(named=True)]


def _told(row: dict[str, Any]) -> dict[str, Any]:
    """Failures by boundary; no cost where no price is known."""
    failures = {where: row[where] for where in BOUNDARIES if row[where]}
    cost = None if row["unpriced"] and row["unpriced"] == row["calls"] else row["cost"] or 0.0
    lists = {name: row[name] or [] for name in ("models", "addresses", "verbs")}
    return {**_without(row, *BOUNDARIES), **lists, "cost": cost, "failures": failures}


def _spent(calls: pl.DataFrame, keys: list[str]) -> pl.DataFrame:
    """What was sent."""
    sent = pl.col("cached").not_()
    total = lambda name: pl.col(name).filter(sent).sum()
    shared = (pl.col("tokens_in") * pl.col("shared") / pl.col("prompt")).fill_nan(0).sum()
    return calls.group_by(keys).agg(
        models=pl.col("model").unique().sort(),
        addresses=pl.col("address").unique().sort(),
        verbs=pl.col("verb").unique().sort(),
        calls=sent.sum(),
        cached=pl.col("cached").sum(),
        tokens_in=total("tokens_in"),
        tokens_out=total("tokens_out"),
        cost=total("cost"),
        unpriced=(sent & pl.col("cost").is_null()).sum(),
        seconds=total("seconds"),
        waited=total("waited"),
        retries=(pl.col("tries") - 1).filter(sent).clip(0).sum(),
        troubles=pl.col("replied").not_().sum(),
        prefix=_finite(shared / pl.col("tokens_in").sum()),
        prefix_served=_finite(total("tokens_cached") / total("tokens_in")),
    )


def _asked(calls: pl.DataFrame, answers: pl.DataFrame, keys: list[str]) -> pl.DataFrame:
    """What came of the questions that were put to seats."""
    moved, failed = pl.col("moved"), pl.col("failed") & pl.col("moved").not_()
    rest = moved.not_() & pl.col("failed").not_()
    paused = rest & (pl.col("paused") | pl.col("troubled") | (pl.col("status") == "paused"))
    over = pl.col("status").is_in(["finished", "failed"])
    questions = _questions(calls, answers).group_by(keys).agg(
        asked=pl.col("put").sum(),
        moves=moved.sum(),
        failed=failed.sum(),
        paused=paused.sum(),
        open=(rest & paused.not_()).sum(),
        lost=(rest & paused.not_() & over).sum(),
    )  # fmt: skip
    return questions.join(_again(answers, keys), on=keys, how="left")


def _questions(calls: pl.DataFrame, answers: pl.DataFrame) -> pl.DataFrame:
    """A row for each question to a seat that called models or had trouble: what came of it, and whether it was put to the seat.

    Where a seat calls models, a question was put to it by a call; only what failed or paused may do so without.
    """
    told = pl.concat([calls.select("arm", "seat"), answers.filter(~pl.col("kind").is_in(ANSWERED)).select("arm", "seat")]).unique()
    is_a = lambda kind: (pl.col("kind") == kind).any()
    mine = answers.filter(pl.col("seat") != TABLE).join(told, on=["arm", "seat"], how="semi")
    events = mine.group_by(QUESTION).agg(moved=pl.col("kind").is_in(ANSWERED).any(), failed=is_a("failed"), paused=is_a("paused"))
    made = calls.group_by(QUESTION, maintain_order=True).agg(called=pl.len() > 0, troubled=pl.col("replied").last().not_())
    flags = pl.col("moved", "failed", "paused", "called", "troubled").fill_null(False)
    frame = events.join(made, on=QUESTION, how="full", coalesce=True).with_columns(flags)
    ends = answers.select("match", "status").unique()
    frame = frame.join(ends, on="match", how="left").with_columns(pl.col("status").fill_null("open"))  # cut off before its first event
    by_calls = pl.col("called").any().over("arm", "seat")
    return frame.with_columns(put=by_calls.not_() | pl.col("called") | pl.col("failed") | pl.col("paused"))


def _again(answers: pl.DataFrame, keys: list[str]) -> pl.DataFrame:
    """How many answers were asked for again: after the last attempt comes the failure."""
    last = answers.filter(kind="failed").select(*QUESTION, attempt=pl.col("attempt") - 1)
    asked = answers.filter(kind="asked").join(last, on=[*QUESTION, "attempt"], how="anti")
    return asked.group_by(keys).agg(asked_again=pl.len())


def _failed(answers: pl.DataFrame, keys: list[str]) -> pl.DataFrame:
    """Failures by boundary."""
    failures = answers.filter(kind="failed")
    return failures.group_by(keys).agg(**{where: (pl.col("where") == where).sum() for where in BOUNDARIES})


def _finite(share: pl.Expr) -> pl.Expr:
    return pl.when(share.is_finite()).then(share)


def _without(row: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name not in names}
