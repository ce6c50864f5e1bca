"""The donor game: a donor gives up a share of what it holds, the recipient gets a multiple (Vallinder & Hughes 2024).

One generation of it. The seats are two halves, A (the first) and B. In each round one half gives and
the other receives; B is rotated against A so that within `seats` rounds everybody in A meets everybody
in B twice, once in each role: reciprocity can only be indirect.
"""

from __future__ import annotations

import functools
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np
from jax import Array

from commonage.game import Ask, Game, Oracle, Question, Turn, choose, legal
from commonage.part import static

BACK = 3  # so many donations back reaches a chain
DONATE, PUNISH = 0, 1  # questions


class State(NamedTuple):
    clock: Array  # int32[]: rounds played
    punishing: Array  # bool[]: the donors that gave nothing are asked whether they punish; false without `punish`
    holdings: Array  # float32[seats]
    donated: Array  # int32[seats]: per cent, last round; -1 of recipients, of retired seats, before the first
    punished: Array  # int32[seats]: per cent paid to punish, last round; -1 of those who were not asked
    chain: Array  # int32[seats, BACK]: what I gave last, what my recipient had given last by then, and so on; `_code`
    whom: Array  # int32[seats, BACK]: to which seats, -1 none
    received: Array  # int32[seats]: the share that I received last, per cent of what its giver held; `_code`
    giver: Array  # int32[seats]: from whom, -1 none


class Sight(NamedTuple):
    clock: Array  # int32[seats]
    punishing: Array  # bool[seats]: now it is asked whether a donor that gave nothing punishes
    mine: Array  # float32[seats]: what I hold
    gave: Array  # int32[seats]: per cent that I gave last, -1 none, below it: I punished, as in `_code`
    received: Array  # int32[seats]: per cent that I received last, -1 none, below it: I was punished
    giver: Array  # int32[seats]: from whom, -1 none
    recipient: Array  # int32[seats]: whom I give to now, -1 while I receive
    theirs: Array  # float32[seats]: what my recipient holds, -1 while I receive
    chain: Array  # int32[seats, BACK]: per cent that my recipient gave last, that its recipient had given before ...; -1 unknown, `_code`
    whom: Array  # int32[seats, BACK]: to which seats, -1 unknown


class Donor(Game):
    """Donors give 0 to 100 per cent of what they hold; the recipient gets `multiplier` times that.

    `schedule`: who gives in which round, and how far B is rotated. "alternating" is ABAB ...; "notebook"
    is the order of the authors' notebook, ABABABBABABA with twelve seats. `trace`: a donor sees what its
    recipient gave last, what the one who got that had given before, and once more. A retired seat gives
    nothing, but keeps what it holds and is still given to.

    `punish`: a donor that gave nothing may pay a share of what it holds to remove so many times that from its recipient,
    down to 0 (2 in the paper's variant); 0: there is no such question.
    """

    seats: int = static(default=12)
    rounds: int = static(default=12)
    schedule: str = static(default="alternating")
    trace: bool = static(default=True)
    punish: float = static(default=0.0)
    endowment: float = 10.0
    multiplier: float = 2.0

    spares = True

    def check(self) -> None:
        self.require(self.seats >= 2 and self.seats % 2 == 0, "seats", "an even number, at least 2")
        self.require(self.rounds >= 1, "rounds", "at least 1")
        self.require(self.schedule in ("alternating", "notebook"), "schedule", "alternating or notebook")
        self.require(self.punish >= 0, "punish", "at least 0")
        self.require(self.endowment > 0, "endowment", "above 0")
        self.require(self.multiplier >= 0, "multiplier", "at least 0")

    @property
    def questions(self) -> tuple[Question, ...]:
        names = ("donate", "punish") if self.punish else ("donate",)
        return tuple(Question(name, amount=(0, 100), unit="per cent") for name in names)

    @property
    def round_steps(self) -> int:
        return len(self.questions)

    @property
    def pairs(self) -> tuple[np.ndarray, np.ndarray]:
        """(bool[rounds + 1, seats] who gives, int32[rounds + 1, seats] the other one of each seat's pair)."""
        return _pairs(self.schedule, self.seats // 2, self.rounds)

    def start(self, key: Array) -> State:
        none, chain = jnp.full(self.seats, -1, jnp.int32), jnp.full((self.seats, BACK), -1, jnp.int32)
        holdings = jnp.full(self.seats, self.endowment, jnp.float32)
        return State(jnp.int32(0), jnp.array(False), holdings, none, none, chain, chain, none, none)

    def ask(self, state: State) -> Ask:
        gives, _ = self._now(state.clock)
        asked = jnp.where(state.punishing, gives & (state.donated == 0), gives)
        return Ask(jnp.where(asked, jnp.where(state.punishing, PUNISH, DONATE), -1).astype(jnp.int32), legal(self.questions[0], self.seats))

    def look(self, state: State) -> Sight:
        gives, other = self._now(state.clock)
        seen = gives[:, None] & self.trace
        return Sight(
            clock=jnp.broadcast_to(state.clock, self.seats),
            punishing=jnp.broadcast_to(state.punishing, self.seats),
            mine=state.holdings,
            gave=state.chain[:, 0],
            received=state.received,
            giver=state.giver,
            recipient=self.toward(state),
            theirs=jnp.where(gives, state.holdings[other], -1),
            chain=jnp.where(seen, state.chain[other], -1),
            whom=jnp.where(seen, state.whom[other], -1),
        )

    def step(self, key: Array, state: State, moves: Array) -> Turn:
        donation = self._donation(state, moves)
        if not self.punish:
            return donation
        return choose(state.punishing, self._punishment(state, moves), donation)

    def _donation(self, state: State, moves: Array) -> Turn:
        gives, other = self._now(state.clock)
        gave = gives & (moves >= 0)
        got = gave[other]
        share = jnp.where(gave, moves, 0) / 100
        given = state.holdings * share
        change = (self.multiplier * given[other] - given).astype(jnp.float32)
        over = jnp.array(not self.punish)
        after = State(
            clock=state.clock + over,
            punishing=~over,
            holdings=state.holdings + change,
            donated=jnp.where(gave, moves, -1),
            punished=jnp.full_like(state.punished, -1),
            chain=_prepend(gave, moves, state.chain, other),
            whom=_prepend(gave, other, state.whom, other),
            received=jnp.where(got, moves[other], state.received),
            giver=jnp.where(got, other, state.giver),
        )
        return Turn(
            state=after,
            rewards=change,
            round_over=over,
            ended=jnp.array(False),
            truncated=after.clock >= self.rounds,
            deeds=jnp.where(gave, share, jnp.nan).astype(jnp.float32),
        )

    def _punishment(self, state: State, moves: Array) -> Turn:
        """Donors that gave nothing pay, and their recipients lose; what was not given says then that it was a punishment."""
        _, other = self._now(state.clock)
        share = jnp.where(moves > 0, moves, 0) / 100
        paid = state.holdings * share
        after = jnp.maximum(state.holdings - paid - self.punish * paid[other], 0).astype(jnp.float32)
        hit = moves[other] > 0
        return Turn(
            state=state._replace(
                clock=state.clock + 1,
                punishing=jnp.array(False),
                holdings=after,
                punished=moves,
                chain=state.chain.at[:, 0].set(jnp.where(moves > 0, _code(moves), state.chain[:, 0])),
                received=jnp.where(hit, _code(moves[other]), state.received),
            ),
            rewards=after - state.holdings,
            round_over=jnp.array(True),
            ended=jnp.array(False),
            truncated=state.clock + 1 >= self.rounds,
            deeds=jnp.full(self.seats, jnp.nan, jnp.float32),
        )

    def toward(self, state: State) -> Array:
        gives, other = self._now(state.clock)
        return jnp.where(gives, other, -1).astype(jnp.int32)

    def witness(self, state: State) -> Array:
        """A seat knows its own deed, a recipient that of its giver, and by the trace a donor that of its next recipient."""
        gives, other = self._now(state.clock)
        gave, before = self._now(jnp.maximum(state.clock - 1, 0))
        every = jnp.arange(self.seats)
        got = ~gave[:, None] & (before[:, None] == every)
        seen = gives[:, None] & (other[:, None] == every) & self.trace
        return jnp.eye(self.seats, dtype=bool) | got | seen

    def facts(self, state: State) -> dict[str, Array]:
        paid = {"punished": state.punished} if self.punish else {}
        return {"holdings": state.holdings, "donated": state.donated, **paid}

    def rules(self, seat: int) -> str:
        half = self.seats // 2
        twice = (
            f", but after every {half} rounds the same half gives twice running" if self.schedule == "notebook" and half % 2 == 0 else ""
        )
        once = " Nobody gives to the same player twice." if self.rounds <= self.seats else ""
        seen = ""
        if self.trace:
            seen = (
                f", and up to {BACK} donations: the recipient's own last one, the last one before it of the player who got that, "
                "and once more in the same way"
            )
        fine = ""
        if self.punish:
            fine = (
                "A donor that gives up nothing may then punish: it pays a whole per cent, 0 to 100, of what it holds, and its recipient "
                f"loses {float(self.punish):g} times what the donor pays, but never holds less than 0. "
            )
        return (
            f"{self.seats} players play {self.rounds} rounds. Each starts with {float(self.endowment):g} points. They form two halves of "
            f"{half}; in each round one half gives and the other receives. The halves take turns{twice}.{once} A donor gives up a whole "
            f"per cent, 0 to 100, of what it holds; its recipient gets {float(self.multiplier):g} times what the donor gives up. "
            f"{fine}"
            f"Before it gives, a donor sees what its recipient holds{seen}."
        )

    def tell(self, state: State, seat: int) -> str:
        clock = int(state.clock)
        lines = [f"Round {clock + 1}." if clock < self.rounds else f"The {self.rounds} rounds are over."]
        lines.append(f"You hold {_points(state.holdings[seat])} points.")
        if (last := int(state.chain[seat, 0])) != -1:
            lines.append(f"You last gave {last} per cent." if last >= 0 else f"You last paid {_code(last)} per cent to punish.")
        if (last := int(state.received[seat])) != -1:
            giver = int(state.giver[seat]) + 1
            punished = f"Seat {giver} gave you nothing last and paid {_code(last)} per cent of what it held to punish you."
            lines.append(f"You last received {last} per cent of what seat {giver} held." if last >= 0 else punished)
        gives, other = self.pairs[0][clock, seat], int(self.pairs[1][clock, seat])
        if gives:
            now = "You gave nothing to" if state.punishing else "You give to"
            lines.append(f"{now} seat {other + 1}, who holds {_points(state.holdings[other])} points.")
            lines.append(self._trace(state, other))
        elif clock < self.rounds:
            lines.append("This round you receive.")
        return " ".join(lines).strip()

    def scene(self, state: State) -> list[dict[str, Any]]:
        half, most = self.seats // 2, float(state.holdings.max()) or 1.0
        shapes: list[dict[str, Any]] = []
        for i in range(self.seats):
            box = {"x": 0.1 + 0.5 * (i // half), "y": (i % half + 0.2) / half, "w": 0.3, "h": 0.6 / half}
            shapes.append(
                {"shape": "bar", **box, "value": float(state.holdings[i]) / most, "text": f"{i + 1}: {_points(state.holdings[i])}"}
            )
        return shapes

    def yardsticks(self) -> dict[str, float]:
        return {"welfare": self.seats * (self._extreme(max) - float(self.endowment))}

    def oracles(self) -> list[Oracle]:
        start, why = float(self.endowment), "backward induction: the total is linear in what each seat holds"
        out = []
        for side, most in (("floor", min), ("ceiling", max)):
            mean = self._extreme(most)
            if self.punish and side == "floor":  # worths are linear no more: they end at 0
                mean, why = 0.0, "nobody holds less than 0: donors that pay all that they hold to punish take the rest"
            out += [
                Oracle("final_holdings", side, mean, "bound", why),
                Oracle("gain", side, mean - start, "bound", why),
                Oracle("welfare_sum", side, self.seats * (mean - start), "bound", why),
            ]
        return out

    def _now(self, clock: Array) -> tuple[Array, Array]:
        """(bool[seats] who gives, int32[seats] the other one of each seat's pair) in this round."""
        gives, other = self.pairs
        return jnp.asarray(gives)[clock], jnp.asarray(other)[clock]

    def _trace(self, state: State, recipient: int) -> str:
        """The recipient's chain in words; empty where nothing is known."""
        known = [(int(p), int(w) + 1) for p, w in zip(state.chain[recipient], state.whom[recipient], strict=True) if p != -1]
        if not (known and self.trace):
            return ""
        did = lambda percent, gave, paid: f"{gave} {percent} per cent to" if percent >= 0 else f"{paid} {_code(percent)} per cent to punish"
        (percent, whom), *before = known
        links = [f"Seat {recipient + 1} last {did(percent, 'gave', 'paid')} seat {whom}"]
        links += [f"who before that had {did(percent, 'given', 'paid')} seat {whom}" for percent, whom in before]
        return ", ".join(links) + "."

    def _extreme(self, most: Any) -> float:
        """The largest (`max`) or smallest (`min`) mean of final holdings that any donations can reach.

        Suppose that in the end a point held by A is worth a, by B b. If A gives the share d of its points in the
        round before, each is worth (1 - d) a + d x multiplier x b: linear in d, so its best is an end of [0, 1],
        whatever anybody holds. So worths follow backwards from a = b = 1; within a half all are alike.
        """
        half = self.seats // 2
        worth = [1.0, 1.0]
        for gives in self.pairs[0][: self.rounds][::-1]:
            donor = 0 if gives[0] else 1
            worth[donor] = most(worth[donor], float(self.multiplier) * worth[1 - donor])
        return float(self.endowment) * half * sum(worth) / self.seats


@functools.cache
def _pairs(schedule: str, half: int, rounds: int) -> tuple[np.ndarray, np.ndarray]:
    """(bool[rounds + 1, seats] who gives, int32[rounds + 1, seats] the partner). After the last round nobody gives.

    With twelve seats B is rotated by (r // 2 + 3 (r % 2)) mod 6 in round r of the alternating order, and by r mod 6
    in the notebook's; elsewhere 3 is half a half. In `2 half` rounds each order has every directed pair once.
    """
    r, i = np.arange(rounds + 1)[:, None], np.arange(half)
    if schedule == "alternating":
        turn, shift = r % 2, r // 2 + half // 2 * (r % 2)
    else:
        turn, shift = (r % half + r // half) % 2, r
    side = np.arange(2 * half) // half
    partner = np.concatenate([half + (i + shift) % half, (i - shift) % half], 1)
    return (side == turn) & (r < rounds), partner.astype(np.int32)


def _prepend(gave: Array, first: Array, chain: Array, other: Array) -> Array:
    """A donor's new chain: this donation, then the chain of the one who got it."""
    longer = jnp.concatenate([first[:, None], chain[other, : BACK - 1]], 1)
    return jnp.where(gave[:, None], longer, chain)


def _code(percent: Any) -> Any:
    """What stands for a punishment in a chain, and back: -1 - per cent; -1 is nothing, 0 and above a donation."""
    return -1 - percent


def _points(amount: Any) -> str:
    """`12.5`, `10`: two decimals at most."""
    return f"{float(amount):.2f}".rstrip("0").rstrip(".")
