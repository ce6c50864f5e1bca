"""The split maze: two see half of a map each, and move only where both name the same way (Davidson et al. 2025).

"The Collaboration Gap", arXiv:2511.02687: 6x6 cells, 30 % walls, a shortest path of 7 to 9, two complementary, partly
hidden copies. There a grader model reads the route out of a free dialogue; here each round ends with a question whose
answer is read strictly, so that the route is exact.
"""

from __future__ import annotations

from typing import Any, ClassVar, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from commonage import seeds
from commonage.game import Ask, Game, Oracle, Question, Turn, legal
from commonage.grid.maze import HIDDEN, LARGEST, WAIT, WAYS, distances, neighbour
from commonage.part import static

WALLS = 30  # per cent of the cells
TRIES = 100_000  # maps that are drawn before the last one stands as it is


class State(NamedTuple):
    clock: Array  # int32[]: rounds played
    walls: Array  # bool[size, size]
    owner: Array  # int32[size, size]: which copy shows a cell, 0 or 1; -1 both: start and goal
    left: Array  # int32[size, size]: steps from each cell to the goal; size^2 where there is no way
    start: Array  # int32[]: a cell, row x size + column
    goal: Array  # int32[]
    place: Array  # int32[]: where the walker stands
    taken: Array  # int32[]: steps walked
    proposed: Array  # int32[]: what the first named in this round, if the second answers now; -1 nothing
    named: Array  # int32[seats]: what each named last round, -1 nothing
    bumped: Array  # bool[]: last round both named the same, and a wall or the edge was there


class Sight(NamedTuple):
    clock: Array  # int32[seats]
    grid: Array  # int32[seats, size, size]: 0 floor, 1 wall, 2 hidden
    owner: Array  # int32[seats, size, size]: which copy shows a cell, 0 or 1; -1 both
    start: Array  # int32[seats]: a cell, row x size + column
    goal: Array  # int32[seats]: a cell, row x size + column
    place: Array  # int32[seats]: where the walker stands
    proposed: Array  # int32[seats]: what the first named in this round, if the second answers now; -1 nothing
    named: Array  # int32[seats, seats]: what each seat (column) named last round, -1 nothing
    bumped: Array  # bool[seats]


class Maze(Game):
    """Both name a way; the walker takes it if they name the same and no wall is there. It ends at the goal, with a point for each.

    `views`: split, each sees one copy, start and goal stand on both; whole, each sees all; copies, each sees both copies,
    side by side. One seat walks alone: `seats=1,views=whole` and `seats=1,views=copies` are the paper's solo references.
    `order` together: both name at once. turn: the first names a way, and the second hears it before it answers.
    Seats are places, never permuted: who is first is part of the design.

    A map has exactly 30 per cent walls, rounded; walls, start and goal are uniform over all such maps with a shortest path
    of `least` to `most`, since maps are drawn until one fits (on 6x6 about one in seven does). Were 100,000 drawn in vain,
    the last would stand as it is. Half of the other cells, drawn, are on each copy.

    No deeds: nobody gains by leaving the other alone. The goal truncates the match, as the rounds do: `ended` is a collapse.
    """

    seats: int = static(default=2)
    rounds: int = static(default=30)
    size: int = static(default=6)
    least: int = static(default=7)
    most: int = static(default=9)
    views: str = static(default="split")
    order: str = static(default="together")

    deeds = False
    lasting: ClassVar[tuple[str, ...]] = ("size", "order")

    def check(self) -> None:
        self.require(self.seats in (1, 2), "seats", "1 or 2")
        self.require(self.rounds >= 1, "rounds", "at least 1")
        self.require(3 <= self.size <= LARGEST, "size", f"between 3 and {LARGEST}")
        self.require(self.least >= 1, "least", "at least 1")
        longest = 2 * (self.size - 1)  # from corner to corner
        self.require(self.least <= self.most <= longest, "most", f"between least={self.least} and {longest}, the way from corner to corner")
        self.require(self.views in ("split", "whole", "copies"), "views", "split, whole or copies")
        self.require(self.seats == 2 or self.views != "split", "views", "whole or copies with one seat")
        self.require(self.order in ("together", "turn"), "order", "together or turn")
        self.require(self.seats == 2 or self.order == "together", "order", "together with one seat")

    @property
    def open_scene(self) -> bool:  # type: ignore[override]
        return self.views != "split"

    @property
    def roles(self) -> tuple[str, ...]:  # type: ignore[override]
        return ("first", "second")[: self.seats]

    @property
    def questions(self) -> tuple[Question, ...]:
        return (Question("way", WAYS, neutral=WAIT),)

    @property
    def round_steps(self) -> int:
        return 2 if self.order == "turn" else 1

    def start(self, key: Array) -> State:
        key, cells = seeds.fold(key, self.label), self.size**2

        def draws(carry: tuple[Array, ...]) -> tuple[Array, ...]:
            order = seeds.permutation(seeds.fold(key, carry[0]), cells)
            walls = jnp.zeros(cells, bool).at[order[: self.walls]].set(True).reshape(self.size, self.size)
            start, goal = order[self.walls], order[self.walls + 1]
            return carry[0] + 1, walls, start, goal, distances(walls, goal, self.most).reshape(-1)[start]

        fits = lambda carry: (carry[4] >= self.least) & (carry[4] <= self.most)
        none = jnp.int32(0)
        blank = (none, jnp.zeros((self.size, self.size), bool), none, none, none)
        tries, walls, start, goal, _ = jax.lax.while_loop(lambda carry: ~fits(carry) & (carry[0] < TRIES), draws, blank)
        owner = self._copies(seeds.fold(key, tries, "copies"), start, goal)
        nothing = jnp.int32(-1)
        left, named = distances(walls, goal, cells), jnp.full(self.seats, -1, jnp.int32)
        return State(none, walls, owner, left, start, goal, start, none, nothing, named, jnp.array(False))

    @property
    def walls(self) -> int:
        """How many cells are walls."""
        return round(self.size**2 * WALLS / 100)

    def _copies(self, key: Array, start: Array, goal: Array) -> Array:
        """int32[size, size]: the cells in a drawn order, dealt out by turns."""
        cells = jnp.arange(self.size**2)
        both = (cells == start) | (cells == goal)
        rank = jnp.argsort(jnp.argsort(jnp.where(both, jnp.uint32(2**32 - 1), seeds.bits(key, cells.shape) >> 1)))
        return jnp.where(both, -1, rank % 2).astype(jnp.int32).reshape(self.size, self.size)

    def ask(self, state: State) -> Ask:
        which = jnp.zeros(self.seats, jnp.int32)
        if self.order == "turn":
            which = jnp.where(jnp.arange(2) == (state.proposed >= 0), 0, -1).astype(jnp.int32)
        return Ask(which, legal(self.questions[0], self.seats))

    def look(self, state: State) -> Sight:
        each = lambda x: jnp.broadcast_to(x, (self.seats, *jnp.shape(x)))
        shown = jnp.ones((self.seats, self.size, self.size), bool)
        if self.views == "split":
            shown = (state.owner < 0) | (state.owner == jnp.arange(2)[:, None, None])
        grid = jnp.where(shown, state.walls, HIDDEN).astype(jnp.int32)
        owner = jnp.full_like(state.owner, -1) if self.views == "whole" else state.owner
        rest = (owner, state.start, state.goal, state.place, state.proposed, state.named, state.bumped)
        return Sight(each(state.clock), grid, *(each(x) for x in rest))

    def step(self, key: Array, state: State, moves: Array) -> Turn:
        after = self._walks(state, moves)
        over = jnp.array(True)
        if self.order == "turn":
            over = state.proposed >= 0
            heard = jnp.maximum(moves[0], WAIT * (moves[0] < 0))  # one who has retired names nothing, and the round goes on
            asks, after = state._replace(proposed=heard), self._walks(state, jnp.stack([state.proposed, moves[1]]))
            after = State(*(jnp.where(over, a, b) for a, b in zip(after, asks, strict=True)))
        reached = after.place == after.goal
        return Turn(
            state=after,
            rewards=jnp.full(self.seats, reached & over, jnp.float32),
            round_over=over,
            ended=jnp.array(False),
            truncated=over & (reached | (after.clock >= self.rounds)),
            deeds=jnp.full(self.seats, jnp.nan, jnp.float32),
        )

    def _walks(self, state: State, named: Array) -> State:
        """After both have named a way."""
        agreed = _agreed(named)
        to, there = neighbour(state.place, jnp.where(agreed, named[0], WAIT), self.size)
        free = agreed & there & ~state.walls.reshape(-1)[to]
        return state._replace(
            clock=state.clock + 1,
            place=jnp.where(free, to, state.place),
            taken=state.taken + free,
            proposed=jnp.int32(-1),
            named=named,
            bumped=agreed & ~free,
        )

    def facts(self, state: State) -> dict[str, Array]:
        """`left`: steps to the goal. `agreed`: 1 both named the same way, 0 not; -1 where nobody named one, or before the first round."""
        asked = ((state.named >= 0) & (state.named < WAIT)).any() & (state.proposed < 0)
        left = state.left.reshape(-1)
        return {
            "shortest": left[state.start],
            "left": left[state.place],
            "taken": state.taken,
            "agreed": jnp.where(asked, _agreed(state.named).astype(jnp.int32), -1),
            "bumped": (state.bumped & (state.proposed < 0)).astype(jnp.int32),
        }

    def rules(self, seat: int) -> str:
        who = "Two players move" if self.seats == 2 else "You move"
        moves = {
            1: "Each round you name north, east, south or west, or wait. The walker takes that step unless a wall or the edge is there.",
            2: "Each round each names north, east, south or west, or wait. The walker takes a step only if both name the same, and no wall "
            "and no edge is there.",
        }[self.seats]
        first = (
            f" {('You name', 'The other names')[seat]} a way first, and the other hears it." if self.order == "turn" and seat == 0 else ""
        )
        if self.order == "turn" and seat == 1:
            first = " The other names a way first, and you hear it."
        sees = {
            "whole": "The map is shown whole.",
            "copies": "There are two copies of the map: each cell but start and goal is hidden (?) on one of them.",
            "split": "Each player has a copy of the map on which cells are hidden (?): what is hidden on yours is shown on the other's, "
            "and the other way round.",
        }[self.views]
        return (
            f"{who} a walker on a map of {self.size} x {self.size} cells from the start to the goal, in at most {self.rounds} rounds. "
            f"{moves}{first} {sees} On the map # is a wall, . is free, S the start, G the goal. Rows are counted from 1 at the north, "
            f"columns from 1 at the west. Arrival is 1 point{' for each' * (self.seats == 2)}, else there is none."
        )

    def tell(self, state: State, seat: int) -> str:
        at = lambda cell: f"row {int(cell) // self.size + 1}, column {int(cell) % self.size + 1}"
        over = state.place == state.goal or state.clock >= self.rounds
        lines = ["The walk is over." if over else f"Round {int(state.clock) + 1} of {self.rounds}."]
        if int(state.clock):
            lines.append(self._last(state, seat))
        lines.append(f"The walker stands at {at(state.place)}; the goal is at {at(state.goal)}.")
        if state.proposed >= 0:
            lines.append(f"In this round {('you', 'the other')[seat]} named {WAYS[int(state.proposed)]}.")
        maps = {"split": [(seat,)], "whole": [(0, 1)], "copies": [(0,), (1,)]}[self.views]
        return "\n".join([" ".join(lines), *(self.draw(state, copies) for copies in maps)])

    def _last(self, state: State, seat: int) -> str:
        said = lambda move: WAYS[move] if move >= 0 else "nothing"
        mine, outcome = said(int(state.named[seat])), "A wall or the edge was there." if state.bumped else ""
        if self.seats == 1:
            return f"Last round you named {mine}. {outcome}".strip()
        return f"Last round you named {mine}, the other {said(int(state.named[1 - seat]))}. {outcome}".strip()

    def draw(self, state: State, copies: tuple[int, ...]) -> str:
        """The map as text, with coordinates: what these copies show together."""
        signs = np.where(np.asarray(state.walls), "#", ".")
        signs = np.where((np.asarray(state.owner) >= 0) & ~np.isin(np.asarray(state.owner), copies), "?", signs).ravel()
        signs[[int(state.start), int(state.goal)]] = "S", "G"
        head = "  " + " ".join(str(i + 1) for i in range(self.size))
        return "\n".join([head, *(f"{i + 1} {' '.join(row)}" for i, row in enumerate(signs.reshape(self.size, self.size)))])

    def scene(self, state: State) -> list[dict[str, Any]]:
        return self._drawn(state, np.full((self.size, self.size), True))

    def glimpse(self, state: State, seat: int) -> list[dict[str, Any]]:
        """The seat's own copy of the map; both where it sees both."""
        owner = np.asarray(state.owner)
        return self._drawn(state, (owner < 0) | (owner == seat) | (self.views != "split"))

    def _drawn(self, state: State, known: np.ndarray) -> list[dict[str, Any]]:
        unit, shapes, seen = 1 / self.size, list[dict[str, Any]](), known.ravel()
        for cell, wall in enumerate(np.asarray(state.walls).ravel()):
            text = {int(state.start): "S", int(state.goal): "G"}.get(cell, "")
            fill = "good" if text == "G" else "unseen" if not seen[cell] else "wall" if wall else "floor"
            x, y = cell % self.size * unit, cell // self.size * unit
            shapes.append({"shape": "rect", "x": x, "y": y, "w": unit, "h": unit, "fill": fill, "text": text})
        row, column = divmod(int(state.place), self.size)
        return [*shapes, {"shape": "circle", "x": (column + 0.5) * unit, "y": (row + 0.5) * unit, "r": unit / 4, "fill": "seat", "seat": 0}]

    def yardsticks(self) -> dict[str, float]:
        return {"welfare": float(self.seats)}

    def oracles(self) -> list[Oracle]:
        top = 1.0 if self.rounds >= self.most else 0.0
        ceiling = [("success", 1.0), ("gain", 1.0), ("path_optimality", 1.0)] if top else []
        return [
            *(Oracle(name, "floor", 0.0, "bound", "nobody arrives") for name in ("success", "gain")),
            *(Oracle(name, "ceiling", value, "bound", "both walk a shortest path") for name, value in ceiling),
        ]


def _agreed(named: Array) -> Array:
    """bool[]: all named the same way."""
    return (named == named[0]).all() & (named[0] >= 0) & (named[0] < WAIT)
