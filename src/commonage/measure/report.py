"""What a study says: a table for the terminal, a frame for more work, one self-contained HTML file."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import polars as pl

from commonage.find import parts
from commonage.measure import accounting, intervals, published, statistics, words
from commonage.measure.contract import Measure, Tables
from commonage.measure.names import called, game_of, given, retired

if TYPE_CHECKING:
    from rich.console import Group
    from rich.table import Table

# the order in which measures are shown; a user's own come first
HEADLINES = (
    "focal_return", "accuracy", "success", "progress", "path_optimality", "agreement_rate", "survival_rate", "survival_time", "gain",
    "served", "per_step", "welfare_min", "welfare_mean", "cooperation", "final_holdings", "log_holdings", "collusion_index",
    "consumer_harm", "efficiency", "equality", "sustainability", "peace", "others_coins", "cleaned", "eaten", "zapped", "handed", "idle",
    "collisions", "redundant", "over_usage", "compliance", "norm_similarity",
)  # fmt: skip
TOGETHER, LEAST = "per_step", "welfare_min"  # where the first is shown the other is, too: a sum never without what the poorest got
QUIET = ("welfare_sum", "welfare_min")  # in the frame, in JSON and in the report's full table only
CURVES = ("cooperation", "log_holdings")  # what is shown by generation; where an arm has neither, what is first in the table
SHOWN = 5  # generations in a table for the terminal
GAP = 3  # characters between two columns
POWER = ("cooperation", "log_holdings", "gain")  # of which it is said what the repeats tell apart
ALWAYS = "cooperation"  # has a column however narrow the table is
NUMBERS = ("mean", "low", "high", "worst", "best", *words.SIDES)
TEST = "TEST MODEL: a strategy in disguise, there to show and test how models take seats. These are no results."
Summary = dict[str, Any]


def frame(summary: Summary) -> pl.DataFrame:
    """One row per arm and measure: the arm's spec, then mean, 95 % interval, n, bounds under failures, floor and ceiling."""
    schema: dict[str, Any] = {"arm": pl.Int32, "name": pl.String, "game": pl.String, "with": pl.String, "seats": pl.String}
    schema |= {"matches": pl.Int32, "failed": pl.Int32, "paused": pl.Int32, "retired": pl.Int32, "replaced": pl.Int32}
    schema |= {"measure": pl.String, "unit": pl.String, "n": pl.Int32}
    schema |= dict.fromkeys(NUMBERS, pl.Float64)
    rows = [_flat(arm) | {"measure": name, **cell} for arm in summary["arms"] for name, cell in arm["measures"].items()]
    return pl.DataFrame([[row.get(column) for column in schema] for row in rows], schema, orient="row")


def tables(summary: Summary, width: int = 100) -> Group:
    """All tables for the terminal: the results; arms with a test model, apart; what models were sent and what it cost."""
    from rich.console import Group

    results, tests = split(summary)
    shown = [table(summary, width=width)] if results["arms"] or not tests["arms"] else []
    if tests["arms"]:
        shown += [f"\n{TEST}\n", _table(tests, (), width)]
    if told := published.rows(arms := summary["arms"], published.shares(arms)):
        shown += ["", published.TITLE, "", _plain(told, width, ("runs", "equality", "efficiency")), published.sources(arms)]
    if rows := bills(summary):
        shown += ["", _plain(rows, width, accounting.SPARE)]
    return Group(*shown)


def split(summary: Summary) -> tuple[Summary, Summary]:
    """(The arms that are results, those in which a test model sits.)"""
    arms = summary["arms"]
    return tuple({**summary, "arms": [arm for arm in arms if bool(arm.get("test_models")) is test]} for test in (False, True))  # type: ignore[return-value]


def table(summary: Summary, measures: Sequence[str] = (), width: int = 100) -> Table:
    """The arms with as many of the measures as fit into `width` characters, floors and ceilings below; no test models.

    What didn't fit is named below; cooperation always has its column.
    """
    return _table(split(summary)[0], measures, width)


def _table(summary: Summary, measures: Sequence[str], width: int) -> Table:
    from rich import box
    from rich.markup import escape
    from rich.table import Table

    arms = summary["arms"]
    out = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    who, measures = _who(arms, width), measures or headline(summary)
    columns = _fitting(summary, measures, width - sum(_wide(h, *c) for h, c in who))
    for header in (*(header for header, _ in who), *(_header(summary, name) for name, _ in columns)):
        out.add_column(header)
    for place in range(len(arms)):
        out.add_row(*(escape(cells[place]) for _, cells in (*who, *columns)), end_section=place == len(arms) - 1)
    for side, cells in sides(summary, [name for name, _ in columns]).items():
        aligned = [f"{cell:>{_mean_width(column(summary, name))}}" for cell, (name, _) in zip(cells, columns, strict=True)]
        out.add_row(side, *[""] * (len(who) - 1), *aligned, style="dim")
    shown = [name for name, _ in columns]
    out.caption = escape(
        "\n".join([*_shared(arms), *references(summary, shown), *_left_out([name for name in measures if name not in shown])])
    )
    out.caption_justify, out.caption_style = "left", "dim"
    return out


def references(summary: Summary, measures: Sequence[str]) -> list[str]:
    """`reference of gain: all share the sustainable harvest every month`: what each play is that a reference comes from."""
    games = [(game_of(arm["spec"]), oracle) for arm in summary["arms"] for oracle in arm["oracles"]]
    several = len({game_of(arm["spec"]) for arm in summary["arms"]}) > 1
    lines = [
        f"reference of {words.title(oracle['measure'])}{f' in {game}' if several else ''}: {oracle['why']}"
        for game, oracle in games
        if oracle["side"] == "reference" and oracle["measure"] in measures
    ]
    return list(dict.fromkeys(lines))


def _shared(arms: Sequence[dict[str, Any]]) -> list[str]:
    """The mechanisms, where several arms have the same."""
    same = {tuple(arm["spec"].get("with", ())) for arm in arms}
    return [f"with {', '.join(next(iter(same)))}"] if len(arms) > 1 and len(same) == 1 and same != {()} else []


def _left_out(measures: Sequence[str]) -> list[str]:
    return [f"more: {', '.join(map(words.title, measures))} (--json, --csv, a wider terminal)"] if measures else []


def notes(summary: Summary) -> list[str]:
    """What stands below the table: how many matches, and what failures could change."""
    arms = summary["arms"]
    total = {key: sum(arm[key] for arm in arms) for key in ("matches", "failed", "paused", "open")}
    others = "".join(f", {total[key]:,} {word}" for key, word in (("paused", "paused"), ("open", "unfinished")) if total[key])
    chains = [arm for arm in arms if "generations" in arm]
    counted = words.count(total["matches"], "lineage" if chains and len(chains) == len(arms) else "match")
    out = [f"{counted}, {total['failed']:,} failed{others}.{' Numbers are of the last generation.' if chains else ''}"]
    for arm in arms:
        if arm["failed"]:
            out.append(
                f"{called(arm)}: {arm['failed']:,} of {arm['matches']:,} failed{_causes(arm, 'failed')}. {under_failures(summary, arm)}"
            )
        if arm["paused"]:
            out.append(f"{called(arm)}: {arm['paused']:,} of {arm['matches']:,} paused{_causes(arm, 'paused')}.")
        if arm["retired"]:
            went = f"in {words.count(arm['retired'], 'match')} a seat retired and the others went on"
            out.append(f"{called(arm)}: {went}{_causes(arm, 'finished')}.")
        if arm["replaced"]:
            went = f"in {words.count(arm['replaced'], 'match')} a seat was replaced and the match went on"
            out.append(f"{called(arm)}: {went}{_causes(arm, 'finished')}.")
        out += [f"{called(arm)}: {line}." for line in accounting.remarks(arm["accounting"])] if "accounting" in arm else []
    return [line.strip() for line in out]


def bills(summary: Summary) -> list[dict[str, str]]:
    """The rows of the accounting, as `accounting.bills` gives them."""
    return accounting.bills([(called(arm), arm["accounting"]) for arm in summary["arms"] if "accounting" in arm], len(summary["arms"]) > 1)


def plans(sizes: Sequence[Any], width: int) -> Table:
    """Plans of a study (`repeats`, `money`, `least` difference by measure), a row each."""
    units = {measure.name: measure.unit for measure in statistics.measures_of(parts("measures"))}
    shown = [name for name in HEADLINES if name in sizes[0].least]
    paid = any(size.money != 0 for size in sizes)
    rows = [
        {"repeats": f"{size.repeats:,}", **({"likely cost": words.money(size.money)} if paid else {})}
        | {words.title(name): _difference(size.least[name], units.get(name, "")) for name in shown}
        for size in sizes
    ]
    return _plain(rows, width, [words.title(name) for name in reversed(shown[2:])])


def _difference(value: float | None, unit: str) -> str:
    """`44 points` of a share, else as many digits as say something; `-` where not even the largest difference is told."""
    if value is None:
        return "-"
    return f"{value * 100:.0f} points" if unit == "share" else f"{value:.2g}" if value < 10 else f"{value:,.0f}"


def _plain(rows: list[dict[str, str]], width: int, spare: Sequence[str]) -> Table:
    """Rows of text; of columns that can be spared those are left out for which there is no room."""
    from rich import box
    from rich.markup import escape
    from rich.table import Table

    wide = {name: max(len(name), *(len(row[name]) for row in rows)) + 3 for name in rows[0]}
    for name in spare:
        if sum(wide.values()) > width:
            wide.pop(name, None)
    out = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for name in wide:
        out.add_column(name, justify="right" if name else "left")
    for row in rows:
        out.add_row(*(escape(row[name]) for name in wide))
    return out


def generations(tables: Tables, summary: Summary, measures: Iterable[str | Measure] = (), width: int = 100) -> Table | None:
    """Measures of each arm by generation, means and 95 % intervals over lineages; None where no arm has generations."""
    from rich import box
    from rich.markup import escape
    from rich.table import Column, Table

    chosen = {measure.name: measure for measure in statistics.measures_of(measures) if measure.name in curves(summary)}
    found = statistics.by_generation(tables, chosen.values()) if chosen else pl.DataFrame()
    if found.is_empty():
        return None
    names = {arm["arm"]: words.folded(called(arm), max(20, width // 4)) for arm in summary["arms"]}
    shown = _spread(int(found["generation"].max()), SHOWN)  # type: ignore[arg-type]
    out = Table("", Column("generation", no_wrap=True), *map(str, shown), box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for (arm, name), rows in found.partition_by("arm", "measure", as_dict=True, maintain_order=True).items():
        cells = [_of_generation(chosen[name], rows.filter(pl.col("generation") == number)) for number in shown]
        digits = words.places(cells)
        said = [f"{words.number(cell['mean'], cell['unit'], digits)}\n{words.limits(cell, digits)}".strip() for cell in cells]
        out.add_row(escape(names[arm]), words.title(name), *map(escape, said))
    return out


def curves(summary: Summary) -> list[str]:
    """The measures that are shown by generation."""
    there = headline(summary)
    return [name for name in CURVES if name in there] or there[:1]


def _spread(last: int, most: int) -> list[int]:
    """At most so many numbers from 1 to the last."""
    count = min(most, last)
    return [round(1 + (last - 1) * i / max(count - 1, 1)) for i in range(count)]


def _of_generation(measure: Measure, rows: pl.DataFrame) -> dict[str, Any]:
    return {**intervals.mean(rows["value"].drop_nulls().to_numpy(), measure.span)._asdict(), "unit": measure.unit}


def power(comparison: dict[str, Any]) -> str:
    """`With 50 lineages each ... differences of 5.2 percentage points in cooperation`: what so many repeats tell apart."""
    cells = {name: cell for name, cell in comparison["measures"].items() if name in POWER and _tells(cell)}
    if not cells:
        return ""
    told = [f"{' '.join(_least(cell)).strip()} in {words.title(name)}" for name, cell in cells.items()]
    n = min(cell["n"] for cell in cells.values())
    a, b = (called(comparison[key]) for key in ("a", "b"))
    kind = "in pairs" if comparison["paired"] else "unpaired"
    return f"{b} less {a}: {words.count(n, 'repeat')} {kind} tell differences from {', '.join(told)} (5 % level, power 80 %)."


def _tells(cell: dict[str, Any]) -> bool:
    """Whether there is a least difference that is told: where all repeats are equal any is."""
    return (cell.get("detectable") or 0) > 1e-9


def _least(cell: dict[str, Any]) -> tuple[str, str]:
    """(the least difference that is told, its unit)."""
    least, unit = cell["detectable"], {"share": "percentage points", "index": ""}.get(str(cell["unit"]), str(cell["unit"]))
    return words.plain(least, cell["unit"], words.needs(least, cell["unit"])), unit


def differences(comparison: dict[str, Any]) -> Table:
    """A comparison as a table: measure, difference, interval, how many pairs; below it what cannot be compared."""
    from rich import box
    from rich.markup import escape
    from rich.table import Table

    a, b = (escape(called(comparison[key])) for key in ("a", "b"))
    out = Table(
        "measure", "difference", "", "pairs" if comparison["paired"] else "n", "tell from", "", title=f"{b}, less {a}", box=box.SIMPLE_HEAD
    )
    cells = comparison["measures"]
    if apart := [name for name in cells if "note" in cells[name]]:
        out.caption = escape(f"{cells[apart[0]]['note']}: {', '.join(map(words.title, apart))}")
        out.caption_justify = "left"
    for name in (name for name in cells if name not in apart):
        cell = cells[name]
        decimals = words.places([cell])
        mean = "-" if cell["mean"] is None else words.plain(cell["mean"], cell["unit"], decimals, sign=True)
        unit = {"share": "percentage points", "index": ""}.get(cell["unit"], cell["unit"])
        told = f"about {cell['needed']:,} repeats would tell" if cell.get("needed") else ""
        out.add_row(
            words.title(name),
            f"{mean} {words.limits(cell, decimals, sign=True)}".rstrip(),
            unit,
            f"{cell['n']:,}",
            _least(cell)[0] if _tells(cell) else "",
            told,
        )
    return out


def report(
    tables: Tables,
    title: str = "",
    command: str = "",
    question: str = "",
    measures: Iterable[str | Measure] = (),
    pairs: Sequence[tuple[int, int]] = (),
    accounts: Mapping[int, dict[str, Any]] | None = None,
) -> str:
    """One HTML file that needs nothing else: arms, intervals, floors, ceilings, figures, failures, how to do it again.

    `pairs` are arms to compare, (a, b) for b less a; by default each arm with the earlier one most like it.
    `accounts` is what `accounting.accounts` gave.
    """
    from commonage.measure import page

    return page.build(tables, title, command, question, measures, pairs, accounts or {})


def headline(summary: Summary) -> list[str]:
    """The measures worth a column, the most telling first."""
    there = list(dict.fromkeys(name for arm in summary["arms"] for name in arm["measures"]))
    own = [name for name in there if name not in HEADLINES + QUIET]
    quiet = [name for name in QUIET if not (name == LEAST and TOGETHER in there)]
    return [name for name in (*own, *HEADLINES) if name in there and name not in quiet and _telling(summary, name)]


def sides(summary: Summary, measures: Sequence[str]) -> dict[str, list[str]]:
    """{"floor": a cell per measure, ...}: only what holds for all arms."""
    out = {}
    for side in words.SIDES:
        cells = [_side(column(summary, name), side) for name in measures]
        if any(cells):
            out[side] = cells
    return out


def column(summary: Summary, measure: str) -> list[dict[str, Any] | None]:
    """A measure's cells, arm by arm; None where it doesn't apply."""
    return [arm["measures"].get(measure) for arm in summary["arms"]]


def under_failures(summary: Summary, arm: dict[str, Any]) -> str:
    """`Had they been the worst or the best possible: survival rate 3 to 12 %.`"""
    cells = [(name, arm["measures"][name]) for name in headline(summary) if name in arm["measures"]]
    said = [f"{words.title(name)} {text}" for name, cell in cells if (text := words.bounds(cell))]
    return f"Had they been the worst or the best possible: {', '.join(said)}." if said else ""


def alike(arms: Sequence[dict[str, Any]]) -> list[tuple[int, int]]:
    """For each arm: (the earlier arm of the same game whose spec is most like its own, this arm), where there is one."""
    specs = [arm["spec"] for arm in arms]
    games = [game_of(spec) for spec in specs]
    texts = [" ".join([spec.get("game", ""), *spec.get("with", ()), spec.get("seats", "")]) for spec in specs]
    out = []
    for j in range(1, len(arms)):
        near = {i: difflib.SequenceMatcher(None, texts[i], texts[j], autojunk=False).ratio() for i in range(j) if games[i] == games[j]}
        if near:
            out.append((arms[max(near, key=lambda i: near[i])]["arm"], arms[j]["arm"]))
    return out


def varies(cells: Sequence[dict[str, Any] | None]) -> bool:
    """Whether the floors or ceilings of a column differ between arms."""
    return any(len({cell.get(side) for cell in cells if cell}) > 1 for side in words.SIDES)


def _causes(arm: dict[str, Any], status: str) -> str:
    """` (agent: no legal move, and 2 other causes)`"""
    first, *others = [c for c in arm["causes"] if c["status"] == status] or [None]
    if first is None or not first["cause"]:
        return ""
    more = f", and {words.count(len(others), 'other cause')}" if others else ""
    return f" ({first['where'] + ': ' if first['where'] else ''}{first['cause']}{more})"


def _flat(arm: dict[str, Any]) -> dict[str, Any]:
    spec = arm["spec"]
    name = called(arm) if arm.get("test_models") else arm["name"]
    return {**arm, "name": name, "game": spec.get("game"), "with": ", ".join(spec.get("with", ())), "seats": spec.get("seats")}


def _who(arms: Sequence[dict[str, Any]], width: int) -> list[tuple[str, list[str]]]:
    """The columns that say who plays what: what is the same in all arms and can be read off the names is left out.

    So are game and mechanisms where every arm has a name and they would take more than half of the width.
    """
    specs, most = [arm["spec"] for arm in arms], max(28, width // 3)
    names = [words.folded(arm["name"] if given(arm) else arm["spec"].get("seats", ""), most) for arm in arms]
    marked = ["\n".join(filter(None, (name, retired(arm)))) for name, arm in zip(names, arms, strict=True)]
    columns = [("game", [spec.get("game", "") for spec in specs])] if len({spec.get("game") for spec in specs}) > 1 else []
    columns.append(("who sits there", marked))
    if any(spec.get("with") for spec in specs) and not _shared(arms):
        columns.append(("with", [words.folded(", ".join(spec.get("with", ())), most) or "-" for spec in specs]))
    wide = sum(_wide(header, *cells) for header, cells in columns) > width // 2
    return [("who sits there", marked)] if wide and all(map(given, arms)) else columns


def _fitting(summary: Summary, measures: Sequence[str], room: int) -> list[tuple[str, list[str]]]:
    """As many columns as there is room for: cooperation or, where there is none, at least one other."""
    out: dict[str, list[str]] = {}
    room += GAP  # behind the last column
    for name in sorted(measures, key=lambda name: name != ALWAYS):
        cells = _cells(column(summary, name))
        if (wide := _wide(_header(summary, name), *cells)) <= room or not out:
            out[name], room = cells, room - wide
    return [(name, out[name]) for name in measures if name in out]


def _wide(*texts: str) -> int:
    """What a column with these cells takes of the table's width."""
    return max(len(line) for text in texts for line in text.split("\n")) + GAP


def _cells(cells: Sequence[dict[str, Any] | None]) -> list[str]:
    """A column as text: means aligned at the right, intervals behind them, bounds under failures below."""
    decimals, wide = words.places(cells), _mean_width(cells)
    means = [words.number(cell["mean"], cell["unit"], decimals) if cell else "" for cell in cells]
    out = []
    for cell, mean in zip(cells, means, strict=True):
        text = f"{mean:>{wide}} {words.limits(cell, decimals)}".rstrip()
        bounds = words.bounds(cell, decimals) if cell else ""
        below = [f"failed: {bounds}"] if bounds else []
        below += words.ends(cell) if cell and varies(cells) else []
        out.append("\n".join([text, *below]))
    return out


def _mean_width(cells: Sequence[dict[str, Any] | None]) -> int:
    decimals = words.places(cells)
    return max((len(words.number(cell["mean"], cell["unit"], decimals)) for cell in cells if cell), default=0)


def _header(summary: Summary, measure: str) -> str:
    unit = next((cell["unit"] for cell in column(summary, measure) if cell), "")
    return words.title(measure) + (f"\n({unit})" if unit not in ("", "share", "index") else "")


def _telling(summary: Summary, measure: str) -> bool:
    """Survival says something where a game can end or did; welfare where mechanisms took or gave."""
    cells = [cell for cell in column(summary, measure) if cell]
    if measure in ("survival_rate", "survival_time"):
        rates = [cell for cell in column(summary, "survival_rate") if cell]
        return any("ceiling" in cell or (cell["mean"] is not None and cell["mean"] < 1) for cell in (*cells, *rates))
    if measure == "welfare_mean":
        pairs = [(arm["measures"].get("gain"), arm["measures"].get(measure)) for arm in summary["arms"]]
        return any(b and (not a or abs((a["mean"] or 0) - (b["mean"] or 0)) > 1e-9) for a, b in pairs)
    return any(cell["n"] for cell in cells) or all(cell["mean"] is None for cell in cells)


def _side(cells: Sequence[dict[str, Any] | None], side: str) -> str:
    known = [cell for cell in cells if cell and cell.get(side) is not None]
    if not known or varies(cells):
        return ""
    value, unit = known[0][side], known[0]["unit"]
    return words.number(value, unit, max(words.places(cells), words.needs(value, unit)))
