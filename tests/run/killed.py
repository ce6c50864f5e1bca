"""A small study of both runners to be killed: `killed.py FOLDER PLACE COUNT` hangs when it comes to PLACE for the COUNT-th time."""

from __future__ import annotations

import asyncio
import sys
import time
from collections import Counter
from typing import Any

from table import COMMONS

from commonage import Arm, Study
from commonage.agent import Agent, Answer, View
from commonage.run import study as studies
from commonage.store.log import Log

CHUNK, REPEATS = 2, 5
POLICIES = "cheat(low=1,high=4)+fine_overusers(notice=0.5),sustainer+fine_overusers,random"


class Talks(Agent):
    """Remembers, speaks, and now and then has to be asked again."""

    def __init__(self, leaves: bool = False) -> None:
        self.leaves = leaves

    async def __call__(self, view: View) -> Answer:
        await asyncio.sleep(0.001 * (view.seat + 1))  # one answer of a step comes before the other
        count = (view.memory or 0) + 1
        draw = int(view.key[0]) // 7 + 31 * count
        if self.leaves and view.round == 3 and int(view.key[1]) % 2:
            return Answer(refused="I leave")
        if draw % 5 == 0 and not view.attempt:
            return Answer(text="let me think")
        if view.question.speech:
            return Answer(text=f"in words: {count} times I spoke, heard {len(view.heard)}", memory=count)
        return Answer(text=view.options[min(draw % 3, len(view.options) - 1)], memory=count, usage={"cost": 1})


def study() -> Study:
    """Matches 1-5 compiled, 6-10 one by one."""
    around = ["talk", "punish"]
    mixed = Arm(COMMONS, ["sustainer+fine_overusers", Talks(), Talks(leaves=True)], around)
    return Study(arms=[Arm(COMMONS, POLICIES, ["punish"]), mixed], repeats=REPEATS, seed=3, on_failure="retire")


def hang_at(place: str, number: int) -> None:
    """Stop this process when it comes to `place` for the `number`-th time."""
    seen: Counter[str] = Counter()

    def reached(where: str) -> None:
        seen[where] += 1
        if (where, seen[where]) == (place, number):
            print(f"at {place} {number}", flush=True)
            time.sleep(600)

    arm, flush = Log.arm, Log.flush

    def before_arm(self: Log, header: Any) -> None:
        reached("arm")
        arm(self, header)

    def after_flush(self: Log) -> None:
        kinds = [row[4] for row in self._rows]
        flush(self)
        for kind in kinds:
            reached(kind)

    Log.reached = staticmethod(reached)  # "commit" and "chunk": inside of them
    Log.arm, Log.flush = before_arm, after_flush  # type: ignore[method-assign]


if __name__ == "__main__":
    studies.arm.CHUNK = CHUNK
    hang_at(sys.argv[2], int(sys.argv[3]))
    study().run(sys.argv[1])
    print("at the end 1", flush=True)
    time.sleep(600)
