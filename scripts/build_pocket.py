"""Builds the pocket model, the TEST MODEL behind `llm:pocket`: text from our games, a tokenizer, a small Llama, a GGUF file.

    pip install -r requirements.lock && pip install --no-deps -r requirements-pocket.lock -e .
    JAX_PLATFORMS=cpu python scripts/build_pocket.py            # into src/commonage/models/pocket/pocket.gguf
    JAX_PLATFORMS=cpu python scripts/build_pocket.py --check    # only measures the file that is there

The same seed gives the same file on the same machine and torch. docs/pocket.md says what it learns.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import time
from pathlib import Path

from pocket import check, tables

from commonage.models.pocket import WEIGHTS, Pocket

MATCHES, SEED = 4500, 1


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--matches", type=int, default=MATCHES, help="matches that are played for the training text")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--out", type=Path, default=WEIGHTS)
    parser.add_argument("--check", action="store_true", help="measure the file, build nothing")
    parser.add_argument("--check-seed", type=int, default=0, help="draws the situations: a fresh one for a figure that you publish")
    parser.add_argument("--situations", type=int, default=1000, help="measured for each game")
    given = parser.parse_args()
    if not given.check:
        build(given.matches, given.seed, given.out)
    if given.situations:
        asyncio.run(measure(given.out, given.situations, given.check_seed))


def build(matches: int, seed: int, out: Path) -> None:
    """Text, tokenizer, training, file."""
    from pocket import export, text, train, words

    began = time.monotonic()
    told = lambda what: print(f"{time.monotonic() - began:5.0f} s  {what}", flush=True)
    lessons = text.lessons(matches, seed)
    random.Random(seed).shuffle(lessons)
    told(f"{len(lessons)} conversations from {matches} matches")
    tokenizer = words.train(message.text for lesson in lessons[:300] for message in lesson.messages)
    data = train.samples(tokenizer, lessons)
    told(f"{sum(len(sample.tokens) for sample in data)} tokens, the longest conversation has {max(len(sample.tokens) for sample in data)}")
    network = train.learn(data, tokenizer.get_vocab_size(), seed)
    export.write(network, tokenizer, out)
    told(f"{sum(weights.numel() for weights in network.parameters())} parameters, {out.stat().st_size} bytes at {out}")


async def measure(weights: Path, situations: int, seed: int) -> None:
    """Prints how often it is legal, and how near its decisions are to their targets."""
    model = Pocket(weights)
    for name, games in tables.held_out().items():
        found = await check.legality(model, games, situations, seed, tables.STRANGERS.get(name, 0.5))
        low, high = check.interval(found.legal, found.situations)
        print(
            f"{name:<14} {found.legal} of {found.situations} first answers legal ({low:.1%} to {high:.1%})  {found.asked}  {found.wrong}",
            flush=True,
        )
    for name, games in tables.decided().items():
        for row in check.rows(await check.decisions(model, games, situations // 4, seed)):
            print(f"{name:<14} {row}", flush=True)
    await model.close()


if __name__ == "__main__":
    main()
