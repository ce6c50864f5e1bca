"""Numbers that others published of the same system: beside our results, in a table of their own, never mixed with them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from commonage.measure import words
from commonage.preset import ABOUT

TITLE = "Published, not played here: other prompts, other dates."


def rows(arms: Sequence[dict[str, Any]], shares: Sequence[str]) -> list[dict[str, str]]:
    """One row of text for each published number's owner beside these arms; `shares` are the measures in per cent."""
    found = _found(arms)
    several = len({row.get("variant", "") for row in found}) > 1
    names = list(dict.fromkeys(key for row in found for key in row if key not in ABOUT))
    return [
        {
            "": row["who"] + (f" ({row['variant']})" if several and "variant" in row else ""),
            "runs": str(row.get("n", "")),
            **{words.title(name): _told(row.get(name), name in shares) for name in names},
        }
        for row in found
    ]


def sources(arms: Sequence[dict[str, Any]]) -> str:
    """Where they stand, and what else there is to say of them."""
    found = _found(arms)
    notes = [f"{row['who']}: {row['note']}" for row in found if "note" in row]
    return ". ".join([*notes, "Source: " + "; ".join(dict.fromkeys(row["source"] for row in found))]) + "."


def shares(arms: Sequence[dict[str, Any]]) -> list[str]:
    """The measures of a summary that are printed in per cent."""
    return [name for arm in arms for name, cell in arm["measures"].items() if cell["unit"] == "share"]


def _found(arms: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    out: dict[str, dict[str, Any]] = {}
    for arm in arms:
        out |= {repr(row): row for row in arm.get("published", ())}
    return list(out.values())


def _told(value: float | None, share: bool) -> str:
    """As printed there: `53.3 %`, `9.3`."""
    if value is None:
        return ""
    text = f"{value * 100:.1f}" if share else f"{value}"
    return re.sub(r"\.0$", "", text) + " %" * share
