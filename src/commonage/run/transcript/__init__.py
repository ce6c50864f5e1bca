"""What each seat saw, said and did in one match, told again from the log; of models every message exactly as sent."""

from __future__ import annotations

from pathlib import Path

from commonage.run.transcript import html, text
from commonage.run.transcript.told import told


def transcript(folder: str | Path, number: int) -> str:
    """Match `number` (from 1) as text: the rules once, then step by step who was asked what, having seen what, and what came of it.

    Seats go by the numbers that they had at the table, as in the words that the seats read. Control characters are shown,
    not sent to the terminal. Raises LogError where there is no such match.
    """
    return text.write(told(folder, number))


def page(folder: str | Path, number: int) -> str:
    """The same as one HTML page that needs nothing else: light and dark, nothing in it runs or is fetched."""
    return html.write(told(folder, number))
