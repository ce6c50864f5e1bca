"""Ours: a whole study of two model seats a match, with prompts, strict reading, log and cache. Counted are the calls of its log."""

from __future__ import annotations

import json
import sys
import tempfile
import time
from pathlib import Path

import commonage
from commonage import Study
from commonage.models.limits import Limits


def study(address: str, calls: int, in_flight: int, seed: int, folder: Path) -> Study:
    seat, matches = f'llm:zero(address="{address}")', in_flight // 2
    limits = Limits(in_flight=in_flight, cache=str(folder / "cache"))
    return Study(f"dilemma(rounds={calls // in_flight})", f"{seat}*2", repeats=matches, seed=seed, limits=limits)


def main() -> None:
    address, calls, in_flight = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        study(address, calls, in_flight, 1, folder).run(folder / "warm")  # compiles the game
        began, cpu = time.perf_counter(), time.process_time()
        result = study(address, calls, in_flight, 2, folder).run(folder / "log")
        seconds, cpu = time.perf_counter() - began, time.process_time() - cpu
        made = result.calls().height
    print(json.dumps({"version": commonage.__version__, "calls_per_second": made / seconds, "cpu_ms": cpu / made * 1e3}))


if __name__ == "__main__":
    main()
