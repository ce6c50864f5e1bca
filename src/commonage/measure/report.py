"""What a study says: as a table for the terminal, and as one self-contained HTML file."""

from __future__ import annotations

from typing import Any

import polars as pl


def frame(summary: dict[str, Any]) -> pl.DataFrame:
    """One row per arm and measure."""
    rows = [{"arm": arm["arm"], "name": arm["name"], "measure": name, **values} for arm in summary["arms"] for name, values in arm["measures"].items()]
    return pl.DataFrame(rows, infer_schema_length=None)


def report(tables: Any, title: str = "", command: str = "") -> str:
    raise NotImplementedError
