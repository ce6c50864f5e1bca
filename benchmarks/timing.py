"""How the benchmarks measure: compile time apart, the best of several runs, outputs checksummed on the host."""

from __future__ import annotations

import time
import zlib
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import numpy as np


class Timed(NamedTuple):
    """One measurement."""

    first: float  # seconds, compilation included
    best: float  # seconds, the fastest of the later runs
    checksum: int  # of the last output: it depends on the seed, and was computed


def timed(work: Callable[[int], Any], runs: int = 5) -> Timed:
    """`work(seed)` once for the compilation, then `runs` times with other seeds."""
    first, _ = _clock(work, 0)
    rest = [_clock(work, seed) for seed in range(1, runs + 1)]
    return Timed(first, min(seconds for seconds, _ in rest), checksum(rest[-1][1]))


def _clock(work: Callable[[int], Any], seed: int) -> tuple[float, Any]:
    began = time.perf_counter()
    out = jax.tree.map(np.asarray, work(seed))
    return time.perf_counter() - began, out


def checksum(out: Any) -> int:
    """Of all arrays of an output."""
    return zlib.crc32(b"".join(np.ascontiguousarray(leaf).tobytes() for leaf in jax.tree.leaves(out)))


def rate(per_second: float) -> str:
    """1_234_567 -> 1.23 M."""
    for unit, scale in (("M", 1e6), ("k", 1e3)):
        if per_second >= scale:
            return f"{per_second / scale:.3g} {unit}"
    return f"{per_second:.3g}"


def row(*cells: object) -> None:
    """One line of a Markdown table."""
    print("| " + " | ".join(str(cell) for cell in cells) + " |", flush=True)


def head(*cells: str) -> None:
    """Its head."""
    row(*cells)
    row(*("---" for _ in cells))
