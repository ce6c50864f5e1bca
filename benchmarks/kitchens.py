"""The kitchen with random cooks: compiled batches beside JaxMARL's Overcooked, single steps beside overcooked_ai's.

A peer is measured where its environment is, as in `grids`: PEERS/jaxmarl, and PEERS/overcooked_ai (`pip install --no-deps overcooked-ai`,
numpy, scipy, tqdm).
"""

from __future__ import annotations

import functools
from typing import Any

import jax
import numpy as np

from benchmarks.grids import STEPS, peer, run
from benchmarks.timing import head, rate, row, timed
from commonage import seeds, spec
from commonage.game import Game

LAYOUTS = ("cramped_room", "counter_circuit_o_1order")
SINGLE = 5_000  # steps, one at a time


def main() -> None:
    """Env-steps per second; a step: everybody acts once, and sees what came of it."""
    head("layout", "B", "compile and first run, s", "env-steps/s", "JaxMARL at the same B", "ratio", "checksum")
    for layout in LAYOUTS:
        game = spec.game(f"kitchen(layout={layout})")
        for batch, steps in STEPS.items():
            ours = timed(functools.partial(run, game, batch, steps), runs=3)
            speed = batch * steps / ours.best
            theirs, told = peer("jaxmarl", "overcooked", (batch,)) if layout == LAYOUTS[0] else (0.0, "")  # theirs has one by name
            row(layout, batch, f"{ours.first:.1f}", rate(speed), told, f"{speed / theirs:.0f}" if theirs else "", f"{ours.checksum:08x}")
    print()
    head("one kitchen", "steps/s", "overcooked_ai", "ratio")
    game = spec.game("kitchen(dynamics=new)")
    theirs, told = peer("overcooked_ai", "cramped_room", (1,))
    whole = SINGLE / timed(functools.partial(run, game, 1, SINGLE), runs=3).best
    for name, speed in (("compiled as a whole, with sights", whole), ("a call a step", SINGLE / timed(_single(game), runs=3).best)):
        row(name, rate(speed), told, f"{speed / theirs:.1f}" if theirs else "")


def _single(game: Game) -> Any:
    """Of a seed the last rewards of random moves, float32[seats], each step a call of its own."""

    @jax.jit
    def step(key: jax.Array, state: Any, moves: jax.Array) -> Any:
        turn = game.step(key, state, moves)
        return turn.state, turn.rewards

    def play(seed: int) -> jax.Array:
        key, moves = seeds.root(seed), np.random.default_rng(seed).integers(0, 6, (SINGLE, game.seats)).astype(np.int32)
        state, rewards = step(key, game.start(key), moves[0])
        for chosen in moves[1:]:
            state, rewards = step(key, state, chosen)
        return rewards

    return play
