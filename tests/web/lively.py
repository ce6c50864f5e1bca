"""A study that goes on when it is told to: `lively.py FOLDER` waits for a line on its input before each move of its talker.

with lively(folder) as go:
    go(2)          # two moves
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from commonage.agent import Agent, Answer, View

ROUNDS = 3


class Waits(Agent):
    """Says what is secret to itself, and then, in words, what all may hear; cooperates."""

    async def __call__(self, view: View) -> Answer:
        await asyncio.to_thread(sys.stdin.readline)
        if view.question.speech:
            return Answer(text=f"my secret\nin words: hello <b>{view.round}</b>")
        return Answer(text="my secret\ncooperate")


@contextmanager
def lively(folder: Path) -> Iterator[Callable[[int], None]]:
    """The study in another process, while the block runs; who asks for moves gives them. It is ended with the block."""
    process = subprocess.Popen([sys.executable, __file__, str(folder)], stdin=subprocess.PIPE, text=True)
    assert process.stdin is not None

    def go(moves: int) -> None:
        process.stdin.write("\n" * moves)  # type: ignore[union-attr]
        process.stdin.flush()  # type: ignore[union-attr]

    try:
        yield go
    finally:
        process.kill()
        process.communicate()


if __name__ == "__main__":
    from commonage import Study

    Study(f"dilemma(rounds={ROUNDS})", [Waits(), "tit_for_tat"], ["talk"], repeats=1).run(sys.argv[1])
