"""Answers by a script, for tests: `scripted(10, 10, cooperate)`, then repeats the last."""

from __future__ import annotations

from collections.abc import Sequence

from commonage.agent import Agent, Answer, View


class Scripted(Agent):
    """The answers are texts, read as strictly as a model's; each question takes the next one."""

    pure = True

    def __init__(self, *answers: object) -> None:
        first = answers[0] if len(answers) == 1 and isinstance(answers[0], Sequence) and not isinstance(answers[0], str) else answers
        self.answers = [str(answer) for answer in first] or [""]

    async def __call__(self, view: View) -> Answer:
        place = view.memory or 0
        text = self.answers[min(place, len(self.answers) - 1)]
        return Answer(text=text, memory=place + 1)
