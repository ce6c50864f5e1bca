# pyright: strict
"""Something that is done once for all who ask for it at one turn of the event loop: a transaction for a hundred replies."""

from __future__ import annotations

import asyncio
from collections.abc import Callable


class Soon:
    """`soon()`: `act` runs before the loop waits for anybody. Raises what it raised the time before."""

    def __init__(self, act: Callable[[], None]) -> None:
        self.act, self.due = act, False
        self.failed: Exception | None = None

    def __call__(self) -> None:
        if self.failed:
            raise self.failed
        if not self.due:
            self.due = True
            asyncio.get_running_loop().call_soon(self._act)

    def _act(self) -> None:
        self.due = False
        try:
            self.act()
        except Exception as error:  # in a callback nobody would hear of it
            self.failed = error
