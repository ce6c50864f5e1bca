"""The memory of a published agent: a stream of notes, retrieval, reflection, a plan (Park et al. 2023; as Piatti et al. 2024 use it).

Notes are events, chats, actions and thoughts, each with an importance of 1 to 10 that the model gives and a round in which
it expires. What is retrieved is what scores best by 0.5 x recency + 3 x importance + 2 x likeness to what is asked about.
Likeness is computed here, not by a model: the cosine of hashed bags of words.

Calls for an answer: rate the new notes, answer. First in a round: rate, reflect, rate the conclusions, plan, answer.
(The published code asks once for each note; it leaves chats out of retrieval; and its recency counts from the oldest note,
against its own comment. Here all new notes are rated in one call, chats count, and the newest is the most recent.)
"""

from __future__ import annotations

import dataclasses
import functools
import re
import zlib
from typing import Any

import numpy as np

from commonage.agent import View
from commonage.agents.llm import prompts
from commonage.agents.llm.memory import Item, Memory, Think, Thread, news

RECENCY, IMPORTANCE, LIKENESS, DECAY = 0.5, 3.0, 2.0, 0.99
BINS = 512  # of the hashed bag of words

Note = dict[str, Any]  # kind, text, round, expires, importance; importance 0: the model gave none that can be read


@dataclasses.dataclass(frozen=True)
class Faithful(Memory):
    """`items` notes are shown when it thinks and when it answers; a note expires after `expiry` rounds."""

    items: int = 10
    expiry: int = 12

    async def before(self, view: View, past: list[Item], think: Think) -> tuple[Thread, Item]:
        known, about = [note for item in past for note in item["notes"]], prompts.joined([view.facts, view.question.name])
        fresh, thoughts, plan = await rated(self.perceived(view, past), think), list[Note](), past[-1]["plan"] if past else ""
        if not past or past[-1]["round"] < view.round:
            if past:
                thoughts = await rated(await self.conclusions(view, known + fresh, about, think), think)
            plan = await think(prompts.joined([self.remembered(view, known + fresh + thoughts, about), prompts.text("plan")]))
        known += [note for note in fresh if note["kind"] == "action"]  # what it sees and hears now stands in the question
        told = self.remembered(view, known + thoughts, about), prompts.text("planned", text=plan)
        return [(prompts.joined(told), "")], {"notes": fresh + thoughts, "plan": plan}

    def after(self, view: View, asked: str, answered: str) -> Item:
        answer = answered.strip().splitlines()[-1:] or [""]
        return {"did": prompts.text("answered", round=view.round, name=view.question.name, answer=answer[0].strip())}

    def watched(self, view: View, past: list[Item]) -> Item:
        return {"notes": self.perceived(view, past), "plan": "", "did": ""}

    def perceived(self, view: View, past: list[Item]) -> list[Note]:
        """The new notes, not rated yet: what it did last, what it sees, what others said since."""
        did = [("action", item["did"], item["round"]) for item in past[-1:] if item["did"]]
        heard = [("chat", prompts.said(said), said.round) for said in news(view, past)]
        return [self.note(*parts) for parts in (*did, ("event", view.facts, view.round), *heard)]

    def note(self, kind: str, text: str, round: int) -> Note:
        return {"kind": kind, "text": text, "round": round, "expires": round + self.expiry, "importance": 0}

    async def conclusions(self, view: View, notes: list[Note], about: str, think: Think) -> list[Note]:
        """Reflection: thoughts from the best notes."""
        reflect = prompts.text("reflect", count=prompts.CONCLUSIONS)
        lines = (await think(prompts.joined([self.remembered(view, notes, about), reflect]))).splitlines()
        drawn = [line.strip() for line in lines if line.strip()][: prompts.CONCLUSIONS]
        return [self.note("thought", prompts.text("thought", round=view.round, text=line), view.round) for line in drawn]

    def remembered(self, view: View, notes: list[Note], about: str) -> str:
        """The best notes that have not expired, in the order in which they came."""
        best = retrieved([note for note in notes if note["expires"] > view.round], about, self.items)
        return prompts.memories(note["text"] for note in best)


async def rated(notes: list[Note], think: Think) -> list[Note]:
    """The notes with their importance, from one call."""
    if not notes:
        return []
    reply = await think(prompts.rate([note["text"] for note in notes]))
    return [{**note, "importance": number} for note, number in zip(notes, ratings(reply, len(notes)), strict=True)]


def ratings(reply: str, count: int) -> list[int]:
    """The numbers in the last line, where they are so many whole numbers of 1 to 10; else zeros: none of them is guessed."""
    numbers = reply.strip().splitlines()[-1].split()
    sound = len(numbers) == count and all(re.fullmatch(r"[1-9]|10", number) for number in numbers)
    return [int(number) for number in numbers] if sound else [0] * count


def retrieved(notes: list[Note], about: str, count: int) -> list[Note]:
    """The `count` notes that score best, in the order in which they came; of two equal ones the newer."""
    scores = [score(note, rank, about) for rank, note in zip(range(len(notes))[::-1], notes, strict=True)]
    best = sorted(range(len(notes)), key=lambda i: (scores[i], i))[-count:]
    return [notes[i] for i in sorted(best)]


def score(note: Note, rank: int, about: str) -> float:
    """0.5 x recency + 3 x importance + 2 x likeness, each in 0..1; `rank` counts from the newest note, 0."""
    importance = max(note["importance"] - 1, 0) / 9
    return RECENCY * DECAY**rank + IMPORTANCE * importance + LIKENESS * float(embedding(note["text"]) @ embedding(about))


@functools.lru_cache(maxsize=4096)
def embedding(text: str) -> np.ndarray:
    """float64[512], of length 1 (0 without a word): how often each word occurs, words hashed into bins."""
    bins = [zlib.crc32(word.encode()) % BINS for word in re.findall(r"\w+", text.lower())]
    counts = np.bincount(bins, minlength=BINS).astype(float)
    return counts / max(float(np.linalg.norm(counts)), 1.0)
