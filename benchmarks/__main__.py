"""`python -m benchmarks [tournaments fishery runner orchestration grids kitchens seats watching]`: prints Markdown for RESULTS.md."""

from __future__ import annotations

import importlib
import os
import platform
import sys

import jax

NAMES = ("tournaments", "fishery", "runner", "orchestration", "grids", "kitchens", "seats", "watching")

if __name__ == "__main__":
    print(
        f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, jax {jax.__version__}\n"
    )
    for name in sys.argv[1:] or NAMES:
        print(f"## {name}\n", flush=True)
        importlib.import_module(f"benchmarks.{name}").main()
        print(flush=True)
