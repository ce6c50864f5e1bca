"""The numbers of a study: every measure with its interval, floor, ceiling and bounds under failures; paired differences."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import polars as pl

from commonage.errors import SpecError
from commonage.find import find, parts
from commonage.measure import intervals
from commonage.measure.contract import KEYS, Frames, Measure, Played, Tables
from commonage.measure.intervals import Interval
from commonage.measure.names import game_of

ORACLE = ("measure", "side", "value", "label", "why")
ALIKE = ("share", "index")  # units that mean the same in every game
Values = dict[tuple[str, int], pl.DataFrame]  # (measure, arm) -> repeat, value


def summary(tables: Tables, measures: Iterable[str | Measure] = (), values: Values | None = None) -> dict[str, Any]:
    """{"arms": [{"spec", "matches", "failed", "paused", ..., "measures": {name: {"mean", "low", "high", "n", ...}}}]}.

    `worst` and `best` stand beside a mean where matches failed: these counted with the least and the most that
    the measure's definition, or a proved bound of the game, allows. `floor` and `ceiling` are the game's.
    `values` is what `evaluate` gave, if that has been done already. Of generations the last one counts, as in `lineage_ends`.
    """
    chosen, tables = measures_of(measures), lineage_ends(tables)
    values = evaluate(tables, chosen) if values is None else values
    return {"arms": [_arm(tables, arm, chosen, values) for arm in tables.arms]}


def compare(tables: Tables, a: int, b: int, measures: Iterable[str | Measure] = (), values: Values | None = None) -> dict[str, Any]:
    """Differences of arm b minus arm a, over the repeats that both finished, for every measure that both have.

    Arms with the same seed have the same random streams repeat by repeat, and are compared in pairs. `needed`, where
    the interval includes 0: the repeats that would tell a difference as large as this one, four times in five; `detectable`: the
    least difference that these repeats tell so.
    Between different games only shares and indices are compared: for points and rounds, whose scale is a game's own,
    mean and interval are None, and `note` says why.
    """
    chosen, tables = measures_of(measures), lineage_ends(tables)
    left, right = (_header(tables, number) for number in (a, b))
    values = evaluate(tables, chosen) if values is None else values
    paired = left.get("seed") == right.get("seed")
    arms = [_arm(tables, arm, chosen, values) for arm in (left, right)]
    shared = [m for m in chosen if (m.name, a) in values and (m.name, b) in values]
    rows = {m.name: _difference(m, values[m.name, a], values[m.name, b], [arm["measures"][m.name] for arm in arms], paired) for m in shared}
    games = [game_of(header.get("spec", {})) for header in (left, right)]
    if games[0] != games[1]:
        rows |= {m.name: _no_difference(rows[m.name], games) for m in shared if m.unit not in ALIKE}
    return {"a": _label(left), "b": _label(right), "paired": paired, "measures": rows}


def lineage_ends(tables: Tables) -> Tables:
    """Of arms with generations only the last match of each lineage: a lineage counts once. One that is not at its end is open."""
    counts = {arm["arm"]: arm["generations"] for arm in tables.arms if "generations" in arm}
    if not counts:
        return tables
    generation, chained = pl.col("generation"), pl.col("arm").is_in(list(counts))
    last = tables.matches.filter(~chained | (generation == generation.max().over("arm", "repeat")))
    begun = (pl.col("status") == "finished") & (generation < pl.col("arm").replace_strict(counts, default=1))
    matches = last.with_columns(status=pl.when(begun).then(pl.lit("open", last.schema["status"])).otherwise("status"))
    return Frames(tables.arms, matches, *(frame.join(matches, on=KEYS, how="semi") for frame in (tables.steps, tables.moves)))


def by_generation(tables: Tables, measures: Iterable[str | Measure] = ()) -> pl.DataFrame:
    """arm, generation, repeat, measure, value: one row for each finished match of an arm with generations; null = undefined."""
    played, facts = Played.of(tables), recorded(tables)
    schema = {"arm": pl.Int32, "generation": pl.Int32, "repeat": pl.Int32, "measure": pl.String, "value": pl.Float64}
    frames = [pl.DataFrame(schema=schema)]
    for measure in measures_of(measures):
        arms = [arm["arm"] for arm in tables.arms if "generations" in arm and measure.applies(arm, facts[arm["arm"]])]
        if arms:
            rows = _values(played, measure, arms).join(played.matches.select(*KEYS, "generation"), on=KEYS)
            frames.append(rows.with_columns(measure=pl.lit(measure.name)).select(*schema))
    return pl.concat(frames).sort("arm", "measure", "generation", "repeat")


def measures_of(chosen: Iterable[str | Measure] = ()) -> list[Measure]:
    """Measures by name, path or as objects; all that there are when none is named."""
    return [item if isinstance(item, Measure) else find("measures", item)() for item in list(chosen) or parts("measures")]


def evaluate(tables: Tables, measures: Sequence[Measure]) -> Values:
    """For each measure and each arm that it applies to: repeat and value, one row per finished match, null = undefined."""
    played, facts = Played.of(tables), recorded(tables)
    out: Values = {}
    for measure in measures:
        arms = [arm["arm"] for arm in tables.arms if measure.applies(arm, facts[arm["arm"]])]
        rows = _values(played, measure, arms) if arms else None
        frames = rows.partition_by("arm", as_dict=True) if rows is not None else {}
        for arm in arms:
            frame = frames.get((arm,), pl.DataFrame(schema={"repeat": pl.Int32, "value": pl.Float64}))
            out[measure.name, arm] = frame.select("repeat", "value")
    return out


def recorded(tables: Tables) -> dict[int, set[str]]:
    """The facts that each arm records: the header says so, or else what stands in its rows."""
    out = {arm["arm"]: set(arm.get("facts", ())) for arm in tables.arms}
    for frame in (tables.steps, tables.moves):
        if "arm" in frame.columns and not all("facts" in arm for arm in tables.arms):
            there = frame.group_by("arm").agg(pl.exclude("arm").is_not_null().any())
            for row in there.iter_rows(named=True):
                out.setdefault(row["arm"], set()).update(name for name, known in row.items() if known is True)
    return out


def _values(played: Played, measure: Measure, arms: list[int]) -> pl.DataFrame:
    """arm, repeat, value in the order of the matches, whatever the order in which the measure gave them."""
    matches = played.matches.filter(pl.col("arm").is_in(arms)).select(*KEYS, "repeat").sort(KEYS)
    given = measure.each(played).lazy().collect()
    if not {*KEYS, "value"} <= set(given.columns):
        raise SpecError(f"measure {measure.name}: each() gave the columns {', '.join(given.columns)}; it must give arm, match, value")
    value = pl.col("value").cast(pl.Float64)
    rows = given.select(*(pl.col(key).cast(matches.schema[key]) for key in KEYS), value=pl.when(value.is_finite()).then(value))
    out = matches.join(rows, on=KEYS, how="left", maintain_order="left")
    if out.height != matches.height:
        raise SpecError(f"measure {measure.name}: each() gave several rows for one match; it must give one value per match")
    return out


def _arm(tables: Tables, arm: dict[str, Any], measures: Sequence[Measure], values: Values) -> dict[str, Any]:
    rows = tables.matches.filter(pl.col("arm") == arm["arm"])
    count = dict(rows.group_by("status").len().iter_rows())
    flawed = rows.filter(pl.col("status").is_in(["failed", "paused"]) | pl.col("where").is_not_null())
    oracles: list[dict[str, Any]] = [dict(zip(ORACLE, oracle, strict=True)) for oracle in arm.get("oracles", ())]
    failed = count.get("failed", 0)
    went_on, replaced = rows.filter((pl.col("status") == "finished") & pl.col("where").is_not_null()), pl.col("replaced").fill_null(0) > 0
    return {
        "arm": arm["arm"],
        "name": arm.get("name", ""),
        "spec": arm.get("spec", {}),
        "matches": rows.height,
        **({"generations": arm["generations"]} if "generations" in arm else {}),
        "failed": failed,
        "paused": count.get("paused", 0),
        "open": count.get("open", 0),
        "retired": went_on.filter(~replaced).height,
        "replaced": went_on.filter(replaced).height,
        "causes": flawed.group_by("status", "where", "cause").len("matches").sort("matches", "cause", descending=True).to_dicts(),
        "oracles": oracles,
        "published": arm.get("published", []),
        "measures": {m.name: _measure(m, values[m.name, arm["arm"]], failed, oracles) for m in measures if (m.name, arm["arm"]) in values},
    }


def _measure(measure: Measure, frame: pl.DataFrame, failed: int, oracles: list[dict[str, Any]]) -> dict[str, Any]:
    sample = frame["value"].drop_nulls().to_numpy()
    mine = [oracle for oracle in oracles if oracle["measure"] == measure.name]
    span = _span(measure, mine)
    found = intervals.rate(sample.sum(), len(sample)) if measure.kind == "rate" else intervals.mean(sample, span)
    out = {**found._asdict(), "unit": measure.unit}
    ends = {oracle["side"]: oracle["value"] for oracle in mine[::-1]}  # of several the first
    out |= {side: ends[side] for side in ("floor", "reference", "ceiling") if side in ends}
    return out | (_under_failures(found, failed, span, measure.higher) if failed else {})


def _span(measure: Measure, oracles: list[dict[str, Any]]) -> tuple[float | None, float | None]:
    """The least and the most that is possible: by the measure's definition, or by a bound that the game proves."""
    least, most = measure.span
    proved = {oracle["side"]: oracle["value"] for oracle in oracles if oracle["label"] == "bound"}
    return proved.get("floor", least), proved.get("ceiling", most)


def _under_failures(found: Interval, failed: int, span: tuple[float | None, float | None], higher: bool) -> dict[str, float | None]:
    """The mean, had all failed matches been the worst or the best possible; None where no bound is known."""
    total = (found.mean or 0.0) * found.n
    low, high = (None if end is None else (total + failed * end) / (found.n + failed) for end in span)
    return {"worst": low, "best": high} if higher else {"worst": high, "best": low}


def _difference(measure: Measure, a: pl.DataFrame, b: pl.DataFrame, ends: list[dict[str, Any]], paired: bool) -> dict[str, Any]:
    both = a.join(b, on="repeat", suffix="_b").drop_nulls().sort("repeat")
    x, y = both["value"].to_numpy(), both["value_b"].to_numpy()
    if not paired:
        left, right = (Interval(*(end[key] for key in ("mean", "low", "high", "n"))) for end in ends)
        found = intervals.difference(left, right)
    else:
        found = intervals.paired_rates(x, y) if measure.kind == "rate" else intervals.mean(y - x)
    out: dict[str, Any] = {**found._asdict(), "unit": measure.unit}
    if any("worst" in end for end in ends):
        low, high = (_extreme(ends[1], side, measure.higher, ends[0]) for side in ("worst", "best"))
        out |= {"worst": low, "best": high}
    out["detectable"] = intervals.detectable(x, y, paired=paired)
    if paired and found.low is not None and found.high is not None and found.low <= 0 <= found.high:
        out["needed"] = intervals.repeats_needed(y - x)
    return out


def _no_difference(cell: dict[str, Any], games: Sequence[str]) -> dict[str, Any]:
    note = f"not comparable, {' and '.join(games)} are different games"
    return {"mean": None, "low": None, "high": None, "n": cell["n"], "unit": cell["unit"], "note": note}


def _extreme(b: dict[str, Any], side: str, higher: bool, a: dict[str, Any]) -> float | None:
    """The difference when b's failures count as `side` and a's as the opposite."""
    other = "best" if side == "worst" else "worst"
    mine, theirs = b.get(side, b["mean"]), a.get(other, a["mean"])
    return None if mine is None or theirs is None else mine - theirs


def _header(tables: Tables, number: int) -> dict[str, Any]:
    for arm in tables.arms:
        if arm["arm"] == number:
            return arm
    raise SpecError(f"no arm {number}; this study has the arms {', '.join(str(arm['arm']) for arm in tables.arms) or 'of an empty log'}")


def _label(arm: dict[str, Any]) -> dict[str, Any]:
    return {"arm": arm["arm"], "name": arm.get("name", ""), "spec": arm.get("spec", {})}
