"""Tests run on the CPU, and keep what they compiled for the next run."""

import gc
import itertools
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path(__file__).parents[1] / ".cache") / "jax"

# in the environment, so that it holds for processes that tests start, too; before anything imports jax
os.environ.setdefault("JAX_PLATFORMS", "cpu")
# a test compiles more than it runs; `make check-all` compiles as users do
os.environ.setdefault("XLA_FLAGS", "--xla_backend_optimization_level=0 --xla_cpu_use_fusion_emitters=false")
os.environ.setdefault("JAX_COMPILATION_CACHE_DIR", str(CACHE))
os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0")
os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES", "-1")

gc.set_threshold(50_000, 20, 50)  # tracing makes many objects and hardly a cycle: looking for them took a tenth of the time


def pytest_configure(config: pytest.Config) -> None:
    # two workers share the cache: an entry that one is still writing is compiled again by the other
    config.addinivalue_line("filterwarnings", "ignore:Error (reading|writing) persistent compilation cache entry:UserWarning")


MAPS = Path("/proc/self/maps")  # of the memory of this process; Linux allows 65,530 unless told otherwise
MOST = 50_000
tests = itertools.count(1)


@pytest.fixture(autouse=True)
def few_programs() -> Iterator[None]:
    """Some three of these maps belong to every compiled function: past the limit the compiler crashes, after some 150 towers."""
    yield
    if next(tests) % 10 == 0 and MAPS.exists() and MAPS.read_bytes().count(b"\n") > MOST:
        import jax

        jax.clear_caches()
