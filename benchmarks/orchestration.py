"""What stands between a seat and its model: calls a second, waiting time, memory, and the prompts themselves.

The model is `zero_latency.py`, a process of its own on this machine. A peer is measured where its environment is: PEERS
names a folder with one virtual environment each (autogen, inspect, agentscope, langgraph; else .venv/peers), made as the first
line of its script in `agent_peers/` says.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.timing import head, row
from commonage import Study
from commonage.models.limits import Limits

HERE = Path(__file__).parent
PEERS = Path(os.environ.get("PEERS", HERE.parent / ".venv" / "peers"))
CALLS, IN_FLIGHT, ROUNDS = 2_000, 100, 3  # calls of each in a round; rounds, of which the best counts
STUDIES = ((0.05, 60, 1), (0.05, 60, 5), (0.05, 20, 20), (1.0, 5, 50))  # latency in seconds, rounds, matches at once

# what is measured: its environment ("": ours), its script, and what its environment variables add
CALLERS: dict[str, tuple[str, str, dict[str, str]]] = {
    "raw aiohttp": ("", "raw_aiohttp", {}),
    "openai SDK, aiohttp transport": ("", "bare_sdk", {}),
    "commonage: desk and endpoint": ("", "commonage_desk", {}),
    "commonage: the same, with the cache": ("", "commonage_desk", {"COMMONAGE_CACHE": "1"}),
    "commonage: a whole study": ("", "commonage_study", {}),
    "AutoGen assistant agent": ("autogen", "autogen_agent", {}),
    "LangGraph agent": ("langgraph", "langgraph_agent", {}),
    "AgentScope agent": ("agentscope", "agentscope_agent", {}),
    "Inspect model": ("inspect", "inspect_generate", {}),
}
BARE = "openai SDK, aiohttp transport"


def main() -> None:
    """Five small tables."""
    calls()
    latency()
    memory()
    forced()
    prefix()


@contextmanager
def server(latency: float = 0.0, reply: str = "cooperate") -> Iterator[str]:
    """The address of a server that answers everything with `reply`, after `latency` seconds."""
    command = [sys.executable, HERE / "zero_latency.py", "--latency", str(latency), "--reply", reply]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip()
        finally:
            process.kill()


def served(address: str) -> int:
    """Requests so far."""
    with urllib.request.urlopen(address.removesuffix("v1") + "counts") as reply:
        return json.load(reply)["requests"]


def script(name: str, *arguments: object, environment: str = "", more: dict[str, str] | None = None) -> dict[str, Any] | None:
    """What a script of `agent_peers` printed; None where its environment is not installed."""
    python = PEERS / environment / "bin" / "python" if environment else Path(sys.executable)
    if not python.exists():
        return None
    command = [str(python), str(HERE / "agent_peers" / f"{name}.py"), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, **(more or {})})
    if done.returncode:
        sys.exit(f"{' '.join(command)}:\n{done.stderr[-2000:]}")
    return json.loads(done.stdout.splitlines()[-1])


def calls() -> None:
    """Calls a second at 100 in flight, no latency. All take turns; the best of each counts, and the server counts along."""
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in CALLERS}
    with server() as address:
        for _ in range(ROUNDS):
            for name, (environment, file, more) in CALLERS.items():
                before = served(address)
                if one := script(file, address, CALLS, IN_FLIGHT, environment=environment, more=more):
                    assert served(address) - before >= CALLS, f"{name} did not send every call"
                    found[name].append(one)
    best = {name: max(ones, key=lambda one: one["calls_per_second"]) for name, ones in found.items() if ones}
    head(f"{IN_FLIGHT} in flight, no latency", "version", "calls/s", "of the bare SDK", "CPU ms a call")
    for name in CALLERS:
        one = best.get(name)
        if one is None:
            row(name, "not installed", "", "", "")
            continue
        share = one["calls_per_second"] / best[BARE]["calls_per_second"]
        row(name, one["version"], f"{one['calls_per_second']:,.0f}", f"{share:.2f}", f"{one['cpu_ms']:.2f}")
    print()


def latency() -> None:
    """Wall clock of a study against its critical path: rounds times latency, since all matches and both seats wait at once."""
    head("study", "calls", "critical path, s", "wall clock, s", "ratio")
    for seconds, rounds, matches in STUDIES:
        path, wall = rounds * seconds, _wall(seconds, rounds, matches)
        what = f"{matches} matches at once, {rounds} rounds, {seconds * 1e3:,.0f} ms a call"
        row(what, 2 * rounds * matches, f"{path:.2f}", f"{wall:.2f}", f"{wall / path:.2f}")
    print()


def _wall(latency: float, rounds: int, matches: int) -> float:
    """Seconds that a study of two model seats takes, the median of several; a first one compiles the game."""
    times = []
    with server(latency) as address, tempfile.TemporaryDirectory() as name:
        for seed in range(ROUNDS + 1):
            seats, limits = f'llm:zero(address="{address}")*2', Limits(cache=f"{name}/cache")
            study = Study(f"dilemma(rounds={rounds})", seats, repeats=matches if seed else 1, seed=seed, limits=limits)
            began = time.perf_counter()
            study.run(Path(name) / str(seed))
            times.append(time.perf_counter() - began)
    return statistics.median(times[1:])


def memory() -> None:
    """Resident memory of a process whose seats wait for a model that takes its time."""
    head("seats that wait", "MB resident", "more than one")
    with server(latency=600) as address:
        one = _waiting(address, 1, 1)
    with server(latency=600) as address:
        many = _waiting(address, 100, 10)
    row(1, f"{one:.0f}", "")
    row(1000, f"{many:.0f}", f"{many - one:.0f}")
    print()


def _waiting(address: str, tables: int, seats: int) -> float:
    found = script("commonage_waiting", address, tables, seats)
    assert found is not None
    assert found["waiting"] == tables * seats
    return found["megabytes"]


def forced() -> None:
    """A move that is the only legal one is not asked for: the trustee who was sent nothing."""
    head("trust, nothing is ever sent", "moves", "of these forced", "calls the server counted")
    with server(reply="0") as address, tempfile.TemporaryDirectory() as name:
        study = Study("trust(rounds=10)", f'llm:zero(address="{address}")*2', repeats=5, limits=Limits(cache=False))
        moves = study.run(Path(name) / "log").tables.moves.drop_nulls("move")
        row("5 matches of 10 rounds", moves.height, moves["forced"].sum(), served(address))
    print()


def prefix() -> None:
    """How many of the prompts' bytes the seat's call before began with, too: at best so much comes from a provider's prefix cache."""
    head("prompts that begin as the seat's last one did", "calls", "share of tokens", "where it takes 1,024 tokens to count")
    with tempfile.TemporaryDirectory() as name, server() as address, server(reply="5") as number:
        arms = {
            "dilemma(rounds=20), all of the past": ("dilemma(rounds=20)", f'llm:zero(address="{address}")*2'),
            "dilemma(rounds=20), recent(5)": ("dilemma(rounds=20)", f'llm:zero(address="{address}",memory=recent(5))*2'),
            "commons(rounds=12), all of the past": ("commons(rounds=12)", f'llm:zero(address="{number}")*5'),
        }
        for i, (what, (game, seats)) in enumerate(arms.items()):
            made = Study(game, seats, repeats=5, limits=Limits(cache=False)).run(Path(name) / str(i)).calls()
            prompt, shared = made["prompt"].to_numpy(), made["shared"].to_numpy()
            long = shared[shared >= 4 * 1_024]  # four bytes a token
            row(what, made.height, f"{shared.sum() / prompt.sum():.2f}", f"{long.sum() / prompt.sum():.2f}")
    print()


if __name__ == "__main__":
    main()
