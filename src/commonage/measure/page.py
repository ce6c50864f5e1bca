"""The report as one HTML page: no request leaves it, it follows light and dark, and it fits a phone."""

from __future__ import annotations

import html
import inspect
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl

from commonage.measure import accounting, figures, published, report, statistics, style, words
from commonage.measure.contract import Measure, Played, Tables
from commonage.measure.names import labels, retired

MOST, LINES = 24, 8  # arms in a dot chart; arms over rounds
LONG = 34  # characters of a name
READING = (
    "Means over finished repeats with 95 % intervals: Wilson's score interval for rates; for other means the BCa bootstrap, widened for "
    "few repeats (below 5 repeats Student's t). No interval: the repeats were equal as far as the digits go, or there is only one. "
    "'failed': the mean, had the failed matches been the worst or the best possible. Which floors and ceilings are proved is said below."
)
SPENDING = (
    "Questions asked = moves + failures (by who is to blame) + paused, and open where a match was cut off; again: answers that could not "
    "be read and were asked for again. Calls, tokens, seconds and cost are of calls that were sent; those from the cache cost nothing. "
    "Prefix: the share of the prompt tokens that a provider's prefix cache could serve, since the seat's prompt before began alike; "
    "served: the share that one did, as the provider says. Seconds until calls were answered; waited in the queue and between tries."
)


def build(
    tables: Tables, title: str, command: str, question: str, measures: Iterable[str | Measure], pairs: Sequence[tuple[int, int]],
    accounts: Mapping[int, dict[str, Any]],
) -> str:  # fmt: skip
    """The whole page as text."""
    chosen = statistics.measures_of(measures)
    played = Played.of(statistics.lineage_ends(tables))
    values = statistics.evaluate(played.tables, chosen)
    summary = accounting.told(statistics.summary(played.tables, chosen, values), tables.arms, accounts)
    results, tests = report.split(summary)
    pairs = pairs or report.alike(results["arms"])[: 2 * MOST]
    compared = [statistics.compare(played.tables, a, b, chosen, values) for a, b in pairs]
    parts = [
        f"<h1>{html.escape(title or 'A study')}</h1>",
        f'<p class="lead">{html.escape(question)}</p>' if question else "",
        f"<p>{html.escape(report.notes(summary)[0])} {html.escape(_what(tables.arms))}</p>",
        _section("Results", _arms(results)),
        _section("Test models", f"<p>{html.escape(report.TEST)}</p>{_arms(tests)}" if tests["arms"] else ""),
        _section("Over generations", _generations(tables, results, chosen) if results["arms"] else ""),
        _section("Figures", _figures(played, results, values) if results["arms"] else ""),
        _section("Differences", _differences(summary, compared)),
        _section("Published", _published(summary["arms"])),
        _section("Failures", _failures(summary)),
        _section("What models were sent, and what it cost", _accounting(summary)),
        _section("Do it again", _again(tables.arms, command)),
        _section("What the numbers mean", _terms(summary, chosen)),
    ]
    head = '<meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">'
    body = "\n".join(part for part in parts if part)
    return (
        f'<!doctype html>\n<html lang="en"><head>{head}<title>{html.escape(title or "A study")}</title>'
        f"<style>{style.css()}{style.PAGE}</style></head>\n<body><main>\n{body}\n</main></body></html>\n"
    )


def _section(title: str, content: str) -> str:
    return f"<section><h2>{title}</h2>\n{content}</section>" if content else ""


def _what(arms: Sequence[dict[str, Any]]) -> str:
    games = list(dict.fromkeys(arm["spec"].get("game", "") for arm in arms))
    repeats = sorted({arm["repeats"] for arm in arms if "repeats" in arm})
    each = f", {words.count(repeats[0], 'repeat')} each" if len(repeats) == 1 else ""
    chains = sorted({arm["generations"] for arm in arms if "generations" in arm})
    each += f", chains of {' and '.join(f'{count:,}' for count in chains)} generations" if chains else ""
    return f"{words.count(len(arms), 'arm')} of {', '.join(games)}{each}." if arms else "There are no arms yet."


def _arms(summary: dict[str, Any]) -> str:
    names = report.headline(summary)
    columns = [report.column(summary, name) for name in names]
    decimals = [words.places(column) for column in columns]
    names_of, rows = _names(summary), []
    for place, arm in enumerate(summary["arms"]):
        cells = [_cell(column[place], digits, report.varies(column)) for column, digits in zip(columns, decimals, strict=True)]
        done = arm["matches"] - arm["failed"] - arm["paused"] - arm["open"]
        count = f"{done:,}" + (f" <small>of {arm['matches']:,}</small>" if done != arm["matches"] else "")
        rows.append(f"<tr>{_name(arm, place, names_of[arm['arm']])}<td>{count}</td>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>")
    foot = [
        f"<tr><th>{side}</th><td></td>{''.join(f'<td>{html.escape(cell)}</td>' for cell in cells)}</tr>"
        for side, cells in report.sides(summary, names).items()
    ]
    head = "".join(f"<th>{_heading(summary, name)}</th>" for name in ("", "matches", *names))
    plays = "".join(f" {line[0].upper()}{line[1:]}." for line in map(html.escape, report.references(summary, names)))
    return _table(head, rows, foot, READING + plays) + _all(summary)


def _all(summary: dict[str, Any]) -> str:
    """Every measure of every arm, folded away."""
    names_of, rows = _names(summary), []
    for row in report.frame(summary).iter_rows(named=True):
        digits = words.places([row])
        ends = [words.number(row[side], row["unit"], words.needs(row[side], row["unit"])) for side in ("floor", "ceiling")]
        arm = html.escape(words.short(names_of[row["arm"]], 40))
        cells = [words.title(row["measure"]), _cell(row, digits), f"{row['n']:,}", *ends]
        rows.append(f"<tr><td>{arm}</td>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>")
    head = "".join(f"<th>{name}</th>" for name in ("arm", "measure", "mean", "n", "floor", "ceiling"))
    return f"<details><summary>All measures</summary>{_table(head, rows)}</details>" if rows else ""


def _figures(played: Played, summary: dict[str, Any], values: statistics.Values) -> str:
    names = _names(summary)
    drawn = [_dots(summary, measure, values, dict(list(names.items())[:MOST])) for measure in report.headline(summary)]
    drawn = [*_over_rounds(played, dict(list(names.items())[:LINES])), *(figure for figure in drawn if figure)]
    if not drawn:
        return ""
    more = f" Lines are drawn for the first {LINES} arms, dots for the first {MOST}." if len(names) > LINES else ""
    note = (
        "Over rounds: means with 95 % bands; a dashed line lies on another arm's. Below the names: the mean with its interval on "
        f"the repeats' own values; strokes are floors and ceilings.{more}"
    )
    return f'<div class="figures">{"".join(f"<figure>{figure}</figure>" for figure in drawn)}</div><p class="note">{note}</p>'


def _generations(tables: Tables, summary: dict[str, Any], measures: Sequence[Measure]) -> str:
    """A curve for each measure that is shown by generation: the mean of each arm, its band, and faint its lineages."""
    shown = [measure for measure in measures if measure.name in report.curves(summary)]
    rows, names = statistics.by_generation(tables, shown), dict(list(_names(summary).items())[:LINES])
    drawn = []
    for measure in shown:
        found = list(figures.by_generation(rows.filter(pl.col("measure") == measure.name), names).values())
        if found:
            title = words.title(measure.name).capitalize() + (f" ({measure.unit})" if measure.unit not in ("share", "index", "") else "")
            drawn.append(figures.curves(title, found, measure.unit == "share", "generation"))
    note = "Means over lineages with 95 % bands; faint, each lineage. All other numbers on this page are of the last generation."
    return f'<div class="figures">{"".join(f"<figure>{one}</figure>" for one in drawn)}</div><p class="note">{note}</p>' if drawn else ""


def _names(summary: dict[str, Any]) -> dict[int, str]:
    """By arm what the page calls it: by what tells the arms apart, numbered where names are too long for figures."""
    arms = summary["arms"]
    several = len({arm["spec"].get("game") for arm in arms}) > 1
    told = [label + (f" (retired: {arm['retired']:,})" if arm["retired"] else "") for label, arm in zip(labels(arms), arms, strict=True)]
    names = {arm["arm"]: (f"{arm['spec'].get('game')}: " if several else "") + label for label, arm in zip(told, arms, strict=True)}
    long = any(len(name) > LONG for name in names.values())
    return {arm: f"{arm + 1}. {name}" if long else name for arm, name in names.items()}


def _dots(summary: dict[str, Any], measure: str, values: statistics.Values, names: dict[int, str]) -> str:
    cells = {arm["arm"]: arm["measures"].get(measure) for arm in summary["arms"]}
    rows = [
        figures.Row(name, style.color(place), cell, values[measure, arm]["value"].drop_nulls().to_numpy())
        for place, (arm, name) in enumerate(names.items())
        if (cell := cells[arm]) and cell["n"]
    ]
    if not rows:
        return ""
    if rows[0].cell["unit"] == "share" and all(set(np.unique(row.sample)) <= {0.0, 1.0} for row in rows):
        rows = [row._replace(sample=row.sample[:0]) for row in rows]  # of a rate the repeats are but 0 and 1
    ends = [(side, {row.cell.get(side) for row in rows}) for side in words.SIDES]
    unit = rows[0].cell["unit"]
    marks = [
        (value, f"{side} {words.number(value, unit, words.needs(value, unit))}")
        for side, (value, *others) in ((side, tuple(found)) for side, found in ends)
        if value is not None and not others
    ]
    title = words.title(measure) + (f" ({unit})" if unit not in ("share", "index", "") else "")
    return figures.dots(title[0].upper() + title[1:], rows, marks)


def _over_rounds(played: Played, names: dict[int, str]) -> list[str]:
    out = []
    if played.matches["ended"].any():
        out.append(figures.curves("Matches still going", list(figures.alive(played, names).values()), True))
    deeds = list(figures.by_round(played, names, "cooperation").values())
    if max((len(curve.x) for curve in deeds), default=0) > 1:
        out.append(figures.curves("Cooperation of those still playing", deeds, _within_one(deeds)))
    if fact := _telling_fact(played):
        rows = list(figures.by_round(played, names, fact).values())
        out.append(figures.curves(f"{words.title(fact).capitalize()} of those still playing", rows))
    return out


def _within_one(curves: Sequence[figures.Curve]) -> bool:
    return all(np.nanmin(curve.y) >= 0 and np.nanmax(curve.y) <= 1 for curve in curves)


def _telling_fact(played: Played) -> str:
    """The fact of the table in which arms differ most against its own spread; "" where there is none."""
    known = {"arm", "match", "step", "round", "round_over", "ended", "truncated"}
    facts = [name for name, kind in played.steps.schema.items() if name not in known and kind.is_numeric()]
    best, most = "", 0.0
    for fact in facts:
        rows = played.steps.drop_nulls(fact).select("arm", pl.col(fact).cast(pl.Float64))
        means, spread = rows.group_by("arm").mean()[fact], rows[fact].std()
        apart = float((means.max() - means.min()) / spread) if spread else 0.0  # type: ignore[operator]
        if spread and (not best or apart > most):
            best, most = fact, apart
    return best


def _differences(summary: dict[str, Any], compared: Sequence[dict[str, Any]]) -> str:
    if not compared:
        return ""
    names = [name for name in report.headline(summary) if any(name in each["measures"] for each in compared)]
    columns = [[each["measures"].get(name) for each in compared] for name in names]
    decimals = [words.places(column) for column in columns]
    names_of, rows = _names(summary), []
    for place, each in enumerate(compared):
        cells = "".join(f"<td>{_change(column[place], digits)}</td>" for column, digits in zip(columns, decimals, strict=True))
        a, b = (html.escape(names_of[each[key]["arm"]]) for key in ("a", "b"))
        rows.append(f"<tr><th>{b} <small>less {a}{'' if each['paired'] else ', other seed: unpaired'}</small></th>{cells}</tr>")
    head = "".join(f"<th>{_heading(summary, name, 'percentage points')}</th>" for name in ("", *names))
    n = sum(cell is not None and cell["low"] is not None for column in columns for cell in column)
    note = (
        "An arm less an earlier one, over the repeats that both finished; the same repeat has the same random streams in both. "
        f"Of {words.count(n, 'interval')} about one in twenty misses the truth; those that exclude 0 are bold. "
        + " ".join(map(html.escape, filter(None, map(report.power, compared))))
    )
    return _table(head, rows, (), note)


def _published(arms: Sequence[dict[str, Any]]) -> str:
    """What others published of the same system."""
    rows = published.rows(arms, published.shares(arms))
    if not rows:
        return ""
    head = "".join(f"<th>{html.escape(name)}</th>" for name in rows[0])
    first = next(iter(rows[0]))
    cells = [
        "".join(f"<{tag}>{html.escape(row[name])}</{tag}>" for name in row for tag in ["th" if name == first else "td"]) for row in rows
    ]
    return _table(head, [f"<tr>{row}</tr>" for row in cells], caption=html.escape(f"{published.TITLE} {published.sources(arms)}"))


def _failures(summary: dict[str, Any]) -> str:
    names_of, rows = _names(summary), []
    for place, arm in enumerate(summary["arms"]):
        for cause in arm["causes"]:
            status = "a seat dropped out" if cause["status"] == "finished" else cause["status"]
            cells = [status, cause["where"] or "", html.escape(cause["cause"] or ""), f"{cause['matches']:,}"]
            listed = "".join(f'<td class="wrap">{cell}</td>' if i == 2 else f"<td>{cell}</td>" for i, cell in enumerate(cells))
            rows.append(f"<tr>{_name(arm, place, names_of[arm['arm']])}{listed}</tr>")
    if not rows:
        return "<p>No match failed.</p>"
    head = "".join(f"<th>{name}</th>" for name in ("", "what happened", "where", "cause", "matches"))
    said = "".join(f"<p>{html.escape(line)}</p>" for line in report.notes(summary)[1:])
    note = (
        "A failure is never a move: matches that failed count in no mean, and the bounds say what they could change. "
        "Where a seat retired the match counts; from then on that seat does nothing, and nothing of it is counted as conduct. "
        "Where a seat was replaced its substitute plays on: payoffs count, what it does is not counted as conduct."
    )
    return _table(head, rows, (), note) + said


def _accounting(summary: dict[str, Any]) -> str:
    rows = report.bills(summary)
    if not rows:
        return ""
    right = 'style="text-align:right"'
    head = "".join(f"<th{f' {right}' if name else ''}>{name}</th>" for name in rows[0])
    cells = [[html.escape(cell) for cell in row.values()] for row in rows]
    body = [f"<tr>{_who(who)}{''.join(f'<td {right}>{cell}</td>' for cell in listed)}</tr>" for who, *listed in cells]
    return _table(head, body, (), SPENDING)


def _who(name: str) -> str:
    """An arm, or a seat under it."""
    return f'<td style="padding-left:1.2rem">{name}</td>' if name.startswith(accounting.INDENT) else f"<th>{name}</th>"


def _again(arms: Sequence[dict[str, Any]], command: str) -> str:
    if not arms:
        return ""
    first = arms[0]
    rules = dict(item for arm in arms for item in arm.get("versions", {}).items())
    facts = {
        "commonage": first.get("package"), "jax": first.get("jax"), "Python": first.get("python"), "platform": first.get("platform"),
        "rules": ", ".join(f"{name}@{version}" for name, version in rules.items()),
        "seed": ", ".join(str(seed) for seed in dict.fromkeys(arm.get("seed") for arm in arms)),
    }  # fmt: skip
    shell = f"<pre>{html.escape(command)}</pre>" if command else ""
    study = f"<p>{'Or as' if command else 'As'} a study, <code>commonage study FILE</code>:</p><pre>{html.escape(toml(arms))}</pre>"
    listed = "".join(f"<dt>{key}</dt><dd>{html.escape(str(value))}</dd>" for key, value in facts.items() if value)
    return f"{shell}{study}<dl>{listed}</dl>"


def toml(arms: Sequence[dict[str, Any]]) -> str:
    """The study as a file that runs again."""
    quote = lambda text: '"' + str(text).replace("\\", "\\\\").replace('"', '\\"') + '"'
    lines = [
        f"{key} = {quote(value) if isinstance(value, str) else value}"
        for key in ("repeats", "seed", "on_failure")
        if (value := arms[0].get(key)) is not None
    ]
    for arm in arms:
        spec = arm["spec"]
        chain = [f"generations = {quote(spec['generations'])}"] if "generations" in spec else []
        around = ", ".join(quote(layer) for layer in spec.get("with", ()))
        lines += ["", "[[arm]]", f"name = {quote(arm.get('name', ''))}", f"game = {quote(spec.get('game', ''))}"]
        lines += [f"with = [{around}]", f"seats = {quote(spec.get('seats', ''))}", *chain]
    return "\n".join(lines)


def _terms(summary: dict[str, Any], measures: Sequence[Measure]) -> str:
    used = {name for arm in summary["arms"] for name in arm["measures"]}
    terms = [(words.title(m.name), inspect.getdoc(type(m)) or "") for m in measures if m.name in used]
    why = {(o["measure"], o["side"], o["value"], o["label"], o["why"]): None for arm in summary["arms"] for o in arm["oracles"]}
    ends = "".join(
        f"<dt>{words.title(m)}: {side} {value:,.6g} ({label})</dt><dd>{html.escape(text)}</dd>" for m, side, value, label, text in why
    )
    folded = f'<details><summary>Where floors and ceilings come from</summary><dl class="terms">{ends}</dl></details>' if ends else ""
    rows = "".join(f"<dt>{html.escape(name)}</dt><dd>{html.escape(text)}</dd>" for name, text in terms)
    return f'<details><summary>Measures</summary><dl class="terms">{rows}</dl></details>{folded}' if terms else ""


def _table(head: str, rows: Sequence[str], foot: Sequence[str] = (), caption: str = "") -> str:
    below = f"<tfoot>{''.join(foot)}</tfoot>" if foot else ""
    note = f'<p class="note">{caption}</p>' if caption else ""
    table = f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody>{below}</table>"
    return f'<div class="scroll" tabindex="0">{table}</div>{note}'


def _name(arm: dict[str, Any], place: int, name: str) -> str:
    spec = arm["spec"]
    text = " · ".join([spec.get("seats", ""), *(f"with {layer}" for layer in spec.get("with", ()))])
    broken = html.escape(text).replace(",", ",<wbr>").replace("+", "<wbr>+")
    lines = [broken] * bool(spec and spec.get("seats", " ") not in name) + list(filter(None, [retired(arm)]))
    small = "".join(f"<small>{line}</small>" for line in lines)
    return f'<th><span class="dot" style="background:var(--{style.color(place)})"></span>{html.escape(name)}{small}</th>'


def _heading(summary: dict[str, Any], name: str, share: str = "") -> str:
    unit = next((cell["unit"] for cell in report.column(summary, name) if cell), "")
    said = share if unit == "share" else "" if unit == "index" else unit
    return html.escape(words.title(name)) + (f"<br><small>{html.escape(said)}</small>" if said else "")


def _cell(cell: dict[str, Any] | None, decimals: int, varies: bool = False) -> str:
    if cell is None:
        return ""
    text = f"{words.number(cell['mean'], cell['unit'], decimals)} <small>{words.limits(cell, decimals)}</small>"
    below = [f"failed: {words.bounds(cell, decimals)}"] if words.bounds(cell, decimals) else []
    below += words.ends(cell) if varies else []
    return text + "".join(f"<br><small>{line}</small>" for line in below)


def _change(cell: dict[str, Any] | None, decimals: int) -> str:
    if cell is None:
        return ""
    if "note" in cell:
        return f"<small>{html.escape(cell['note'])}</small>"
    clear = cell["low"] is not None and (cell["low"] > 0 or cell["high"] < 0)
    mean = "-" if cell["mean"] is None else words.plain(cell["mean"], cell["unit"], decimals, sign=True)
    text = f'<span class="clear">{mean}</span>' if clear else mean
    return f"{text} <small>{words.limits(cell, decimals, sign=True)}</small>"
