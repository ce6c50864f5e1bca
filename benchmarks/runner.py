"""One step at a time: a jitted step, the mixed runner with its log, compilation of towers, listing commands."""

from __future__ import annotations

import asyncio
import itertools
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import jax
import numpy as np

from benchmarks.timing import head, rate, row
from commonage import seeds, spec
from commonage.agents.policy import PolicyAgent
from commonage.errors import Unfit
from commonage.find import parts
from commonage.game import Game
from commonage.learn import rollout
from commonage.part import bound
from commonage.run import match
from commonage.run.study import Arm, Study

STEPS = 2_000
TOWERS = 60  # of all that there are
TABLES = {"dilemma(rounds=1000)": "tit_for_tat,random", "commons(rounds=400)": "sustainer*5"}


def main() -> None:
    """Four small tables."""
    steps()
    mixed()
    towers()
    listings()


def steps() -> None:
    """Step, ask, look, facts in one call at B = 1."""
    head("one step at B = 1", "microseconds")
    for text, seats in TABLES.items():
        game, agents = spec.game(text), _agents(seats)
        key = seeds.root(1)
        asyncio.run(match.play(game, agents, key, lambda *row: None))
        state, _ = bound(match._begin, game)(key)
        forward, key = bound(match._advance, game), jax.numpy.asarray(key)
        moves = np.zeros(game.seats, np.int32)
        began = time.perf_counter()
        for _ in range(STEPS):
            jax.block_until_ready(forward(key, state, moves))
        row(text, f"{(time.perf_counter() - began) / STEPS * 1e6:.0f}")
    print()


def mixed() -> None:
    """Moves per second with policies as agents, one match at a time, with and without the log."""
    head("mixed runner", "moves/s with log", "moves/s without")
    for text, seats in TABLES.items():
        with tempfile.TemporaryDirectory() as folder:
            study = Study(arms=[Arm(text, seats)], repeats=1, runner="mixed")
            study.run(Path(folder) / "warm")
            study = Study(arms=[Arm(text, seats)], repeats=10, runner="mixed")
            began = time.perf_counter()
            result = study.run(Path(folder) / "log")
            seconds = time.perf_counter() - began
            moves = result.tables.moves["move"].count()
        game, agents = spec.game(text), _agents(seats)
        began = time.perf_counter()
        asyncio.run(match.play(game, agents, seeds.root(1), lambda *row: None))
        bare = game.rounds * game.seats / (time.perf_counter() - began)
        row(text, rate(moves / seconds), rate(bare))
    print()


def _agents(seats: str) -> list[PolicyAgent]:
    return [PolicyAgent(spec.policies(seat)) for seat in spec.seats(seats)]


def towers() -> None:
    """Compilation of towers of depth three over dilemma and commons, drawn from those that fit; the slowest of each base game."""
    head("tower of depth three", "fit", "compiled", "slowest, s", "which", "median, s")
    for base, seats in {"dilemma": "tit_for_tat,random", "commons": "sustainer+fine_overusers*4,cheat"}.items():
        fit = [around for around in itertools.permutations(parts("mechanisms"), 3) if _tower(base, around)]
        drawn = random.Random(TOWERS).sample(fit, min(TOWERS, len(fit)))
        found = sorted((_compile(_tower(base, around), seats), around) for around in drawn)
        seconds, slowest = found[-1]
        row(base, len(fit), len(found), f"{seconds:.2f}", " around ".join(slowest), f"{found[len(found) // 2][0]:.2f}")
    print()


def _tower(base: str, around: tuple[str, ...]) -> Game | None:
    """None where a mechanism has no place in it."""
    try:
        return spec.game(base, around)
    except Unfit:
        return None


def _compile(game: Game, seats: str) -> float:
    """Seconds to trace and compile what a study of up to 10,000 repeats runs."""
    groups = rollout.seat([spec.policies(seat) for seat in spec.seats(seats)], np.tile(np.arange(game.seats), (200, 1)))
    began = time.perf_counter()
    rollout._record_quick.lower(game, groups, np.zeros((200, 2), np.uint32)).compile()
    return time.perf_counter() - began


def listings() -> None:
    """Real processes; the fastest of five."""
    head("listing command", "seconds")
    for command in ("games", "mechanisms", "agents", "measures", "--help"):
        times = []
        for _ in range(5):
            began = time.perf_counter()
            subprocess.run([Path(sys.executable).with_name("commonage"), command], capture_output=True, check=True)
            times.append(time.perf_counter() - began)
        row(f"commonage {command}", f"{min(times):.2f}")
    print()
