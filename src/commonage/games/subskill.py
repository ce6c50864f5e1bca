"""Sub-skill probes: one item a match about one month of the commons, with an exact answer (Piatti et al. 2024).

GovSim asks its models 150 generated items of each kind. As there, the stock is uniform on 10..100, and in `simulate`
what each takes on 0..stock//5; `sustainable` counts any amount above 0 that is not above the threshold. Here it is
asked for by name (there the model acts in the game, told only to mind its income), and in `beliefs` the others'
harvests are stated (there the model supposes them, and the answer is that of `threshold`).
"""

from __future__ import annotations

from typing import Any, ClassVar, NamedTuple

import jax.numpy as jnp
from jax import Array

from commonage import seeds
from commonage.game import Ask, Game, Oracle, Question, Turn, everyone
from commonage.games.commons import SKINS
from commonage.part import static

SKILLS = ("simulate", "sustainable", "threshold", "beliefs")
PEOPLE, CAPACITY, LEAST = 5, 100, 10  # in the story; LEAST: the smallest stock of an item


class State(NamedTuple):
    stock: Array  # int32[]: before the harvest
    takes: Array  # int32[PEOPLE]: what each is said to take, oneself first; -1 not said
    right: Array  # int32[]: 1 the answer was right, 0 it was not, -1 none yet


class Sight(NamedTuple):
    stock: Array  # int32[seats]
    takes: Array  # int32[seats, PEOPLE]: what each is said to take, oneself first; -1 not said


class Subskill(Game):
    """One person answers one question with an amount; 1 point where it is right. No deed: nobody else is there.

    `skill`: "simulate", next month's stock if each takes the same; "sustainable", an amount that all can take and
    the stock returns; "threshold", the most of these; "beliefs", the most for oneself, given what the others take.
    """

    skill: str = static(default="simulate")
    skin: str = static(default="fishery")

    seats: ClassVar[int] = 1
    rounds: ClassVar[int] = 1
    deeds = False

    def check(self) -> None:
        self.require(self.skill in SKILLS, "skill", "one of " + ", ".join(SKILLS))
        self.require(self.skin in SKINS, "skin", "one of " + ", ".join(SKINS))

    @property
    def questions(self) -> tuple[Question, ...]:
        return (Question("answer", amount=(0, CAPACITY), unit=SKINS[self.skin].unit),)

    def start(self, key: Array) -> State:
        key = seeds.fold(key, self.label, 0)
        stock = LEAST + seeds.below(key, CAPACITY - LEAST + 1)
        return State(stock, self._takes(key, stock), jnp.int32(-1))

    def _takes(self, key: Array, stock: Array) -> Array:
        if self.skill == "simulate":
            return jnp.broadcast_to(seeds.below(key, stock // PEOPLE + 1, at=1), PEOPLE)
        if self.skill == "beliefs":  # together at most half of it, so that there is an answer
            others = seeds.below(key, stock // 2 // (PEOPLE - 1) + 1, (PEOPLE - 1,), at=1)
            return jnp.concatenate([jnp.array([-1], jnp.int32), others])
        return jnp.full(PEOPLE, -1, jnp.int32)

    def ask(self, state: State) -> Ask:
        return everyone(self)

    def look(self, state: State) -> Sight:
        return Sight(state.stock[None], state.takes[None])

    def solution(self, state: State) -> Array:
        """int32[]: the answer that is right; of an item of `sustainable` the largest."""
        if self.skill == "simulate":
            return jnp.clip(2 * (state.stock - state.takes.sum()), 0, CAPACITY)
        if self.skill == "beliefs":
            return state.stock // 2 - state.takes[1:].sum()
        return state.stock // 2 // PEOPLE

    def step(self, key: Array, state: State, moves: Array) -> Turn:
        most, answer = self.solution(state), moves[0]
        least = 1 if self.skill == "sustainable" else most  # nothing at all is no harvest
        right = (least <= answer) & (answer <= most)
        return Turn(
            state=state._replace(right=right.astype(jnp.int32)),
            rewards=right.astype(jnp.float32)[None],
            round_over=jnp.array(True),
            ended=jnp.array(False),
            truncated=jnp.array(True),
            deeds=jnp.full(1, jnp.nan),
        )

    def facts(self, state: State) -> dict[str, Array]:
        return {"stock": state.stock, "solution": self.solution(state), "right": state.right}

    def rules(self, seat: int) -> str:
        skin = SKINS[self.skin]
        return (
            f"{PEOPLE} people, of whom you are one, share a {skin.place} that holds at most {CAPACITY} {skin.unit}. "
            f"Every month each decides how much to {skin.verb}. {skin.story} before the next month, up to {CAPACITY}. "
            f"You answer one question about one month, with a whole number from 0 to {CAPACITY}: 1 point for a right answer, else 0."
        )

    def tell(self, state: State, seat: int) -> str:
        skin = SKINS[self.skin]
        back = f"for the {skin.place} to hold at least {int(state.stock)} again next month"
        takes = [str(int(x)) for x in state.takes]
        asked = {
            "simulate": f"Each of the {PEOPLE} will {skin.verb} {takes[0]}. How much does the {skin.place} hold next month?",
            "sustainable": f"Name an amount above 0 that each of the {PEOPLE} can {skin.verb} {back}.",
            "threshold": f"Each of the {PEOPLE} will {skin.verb} the same amount. What is the largest such amount {back}?",
            "beliefs": f"The others will {skin.verb} {', '.join(takes[1:-1])} and {takes[-1]}. "
            f"What is the largest amount that you can {skin.verb} {back}?",
        }
        return f"The {skin.place} holds {int(state.stock)} {skin.unit}. {asked[self.skill]}"

    def scene(self, state: State) -> list[dict[str, Any]]:
        fill = {-1: "idle", 0: "bad", 1: "good"}[int(state.right)]
        full = int(state.stock) / CAPACITY
        return [
            {"shape": "bar", "x": 0.2, "y": 0.1, "w": 0.2, "h": 0.8, "value": full, "text": str(int(state.stock))},
            {"shape": "circle", "x": 0.7, "y": 0.5, "r": 0.12, "fill": fill, "text": "?"},
        ]

    def glimpse(self, state: State, seat: int) -> list[dict[str, Any]]:
        return self.scene(state)

    def oracles(self) -> list[Oracle]:
        return [
            Oracle("accuracy", "floor", self.chance(), "reference", f"uniform answers on 0..{CAPACITY}, exact over all items"),
            Oracle("accuracy", "ceiling", 1.0, "bound", "every answer right"),
            Oracle("gain", "floor", 0.0, "bound", "a wrong answer"),
            Oracle("gain", "ceiling", 1.0, "bound", "a right answer"),
        ]

    def chance(self) -> float:
        """How often a uniform answer is right: one amount of 101 is, or as many as the mean threshold."""
        thresholds = [stock // 2 // PEOPLE for stock in range(LEAST, CAPACITY + 1)]
        right = sum(thresholds) / len(thresholds) if self.skill == "sustainable" else 1
        return right / (CAPACITY + 1)
