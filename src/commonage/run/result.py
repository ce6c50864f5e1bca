"""What a study left behind: tables, numbers, a report. Reads the log; holds nothing of its own."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import polars as pl

from commonage.find import parts
from commonage.measure import accounting, report, statistics
from commonage.measure.contract import Measure
from commonage.store import read


class Result:
    """The results in a folder: `.table()`, `.summary()`, `.compare(0, 1)`, `.events()`, `.report(path)`.

    `measures`: your own, by path or as objects, beside those that there are.
    """

    def __init__(self, path: str | Path, measures: Sequence[str | Measure] = ()) -> None:
        self.path = Path(path)
        self.measures = statistics.measures_of([*measures, *parts("measures")])

    @functools.cached_property
    def tables(self) -> read.Tables:
        """Arms, matches, steps and moves, as polars frames."""
        return read.read(self.path)

    def events(self) -> pl.DataFrame:
        """Every event, one row each."""
        return read.events(self.path)

    def calls(self) -> pl.DataFrame:
        """Every call of a model, one row each."""
        return read.calls(self.path)

    @functools.cached_property
    def planned(self) -> int:
        """How many matches the study has, played or not. Those that a failed one would have led to are none of them."""
        arms = read.read(self.path, matches=()).arms
        failed = self.tables.matches.filter(pl.col("status") == "failed")
        lost = sum(
            arm["generations"] * failed.filter(pl.col("arm") == arm["arm"]).height
            - failed.filter(pl.col("arm") == arm["arm"])["generation"].sum()
            for arm in arms
            if "generations" in arm
        )
        return sum(arm["repeats"] * arm.get("generations", 1) for arm in arms) - int(lost)

    @functools.cached_property
    def accounting(self) -> dict[int, dict[str, Any]]:
        """By arm what models were sent and what it cost, as in `measure.accounting.accounts`."""
        return accounting.accounts(self.tables.arms, self.calls(), read.answers(self.path))

    @functools.cached_property
    def _summary(self) -> dict[str, Any]:
        told = accounting.told(statistics.summary(self.tables, self.measures), self.tables.arms, self.accounting)
        return {**told, "planned": self.planned}

    def summary(self) -> dict[str, Any]:
        """{"arms": [{"spec", "matches", "failed", "paused", "measures": {name: {"mean", "low", "high", "n"}}, "accounting"}],
        "planned": matches, played or not}."""
        return self._summary

    def table(self) -> pl.DataFrame:
        """One row per arm and measure: mean, 95 % interval, floor and ceiling."""
        return report.frame(self.summary())

    def compare(self, a: int, b: int) -> dict[str, Any]:
        """Paired differences of arm b minus arm a, by measure."""
        found = statistics.compare(self.tables, a, b, self.measures)
        tests = {arm["arm"]: arm.get("test_models", []) for arm in self.tables.arms}
        return found | {key: {**found[key], "test_models": tests[number]} for key, number in (("a", a), ("b", b))}

    def report(self, path: str | Path | None = None, title: str = "", **more: Any) -> Path:
        """One self-contained HTML file; `more` as in `measure.report.report`: command, question, pairs of arms to compare."""
        target = Path(path or self.path / "report.html")
        page = report.report(self.tables, title=title or self.path.name, measures=self.measures, accounts=self.accounting, **more)
        target.write_text(page, encoding="utf-8")
        return target

    def one(self, number: int) -> dict[str, float | None]:
        """The measures of one match."""
        tables = read.read(self.path, matches=[number])
        values = statistics.evaluate(tables, self.measures)
        mine = tables.matches["arm"][0]
        return {name: frame["value"][0] if frame.height else None for (name, arm), frame in values.items() if arm == mine}

    @property
    def status(self) -> dict[str, int]:
        """How many matches finished, failed, paused or are open."""
        return dict(self.tables.matches.group_by("status").len().iter_rows())

    def _repr_html_(self) -> str:
        return self.table()._repr_html_()

    def __repr__(self) -> str:
        return f"Result({str(self.path)!r})"
