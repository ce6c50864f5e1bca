"""Parts that break their contract are refused, each with its own message: the checks can fail."""

from __future__ import annotations

import itertools
from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest
from jax import Array

from commonage import seeds
from commonage.agent import Agent, Answer, View
from commonage.errors import ContractError, SpecError
from commonage.game import Ask, Game, Legal, Question, Turn, everyone, legal
from commonage.games.commons import Commons
from commonage.games.dilemma import Dilemma
from commonage.games.public_goods import PublicGoods
from commonage.games.trust import Trust
from commonage.games.ultimatum import Ultimatum
from commonage.mechanism import Layer, Mechanism, Phased, Phases
from commonage.mechanisms.noise import Noise
from commonage.mechanisms.punish import Punish
from commonage.policy import Policy
from commonage.testing import check_agent, check_game, check_mechanism, check_policy

COMMONS = Commons(seats=3, rounds=3, capacity=12, report=False)
count = itertools.count()


class Thin(Mechanism):
    """Adds nothing; the planted ones each add one fault."""


def test_a_layer_that_adds_nothing_is_a_mechanism() -> None:
    check_mechanism(Thin)


class Fee(Mechanism):
    """Takes a point from everybody after each round: the smallest mechanism that does something."""

    null = {"fee": 0.0}
    fee: float = 1.0

    def step(self, key: Array, state: Layer, moves: Array) -> Turn:
        turn = super().step(key, state, moves)
        return turn._replace(rewards=turn.rewards - self.fee * turn.round_over)


def test_a_mechanism_of_one_method() -> None:
    check_mechanism(Fee)
    game = Fee(Dilemma(rounds=2), fee=2)
    turn = game.step(seeds.root(0), game.start(seeds.root(0)), jnp.zeros(2, jnp.int32))
    assert turn.rewards.tolist() == [1, 1]  # 3 for mutual cooperation, less 2


class Unwrapped(Thin):
    """Hands on the state of the game inside as if it were its own."""

    def start(self, key: Array) -> Any:
        return self.game.start(key)


class Unwrapping(Thin):
    """The same, after a step."""

    def step(self, key: Array, state: Layer, moves: Array) -> Turn:
        return self.game.step(key, state.game, moves)


# the three of the trunk's list: acts on every step, reuses a key, leaks a private field


class Toll(Thin):
    """Everybody pays after every step of the game."""

    null = {"fee": 0.0}
    fee: float = 1.0

    def step(self, key: Array, state: Layer, moves: Array) -> Turn:
        turn = super().step(key, state, moves)
        return turn._replace(rewards=turn.rewards - self.fee)


class Interrupter(Phased):
    """Asks after every step of the game, whether or not the round is over."""

    game: Any
    closing = True

    @property
    def own(self) -> tuple[Question, ...]:
        return (Question("well", ("yes", "no")),)

    @property
    def round_steps(self) -> int:
        return 2 * self.game.round_steps

    @property
    def max_steps(self) -> int:
        return 2 * self.game.max_steps

    def begin(self, key: Array) -> Any:
        return ()

    def asked(self, state: Phases, phase: int) -> tuple[Array, Legal]:
        return jnp.ones(self.seats, bool), legal(self.own[0], self.seats)

    def heard(self, key: Array, state: Phases, phase: int, moves: Array) -> tuple[Any, Array]:
        return (), jnp.zeros(self.seats, jnp.float32)

    def step(self, key: Array, state: Phases, moves: Array) -> Turn:
        turn, playing = super().step(key, state, moves), state.phase == self.before
        stays = playing & ~(turn.ended | turn.truncated | turn.round_over) & (turn.state.phase == self.before)
        return turn._replace(state=turn.state._replace(phase=jnp.where(stays, self._place(0), turn.state.phase)))


@pytest.mark.parametrize(
    ("planted", "message"),
    [
        (Toll, "toll around trust.* moves rewards in the middle of a round .* acts when the round is over"),
        (Interrupter, "interrupter around trust.* asks in the middle of a round .* acts when the round is over"),
    ],
)
def test_acts_on_every_step(planted: type, message: str) -> None:
    with pytest.raises(ContractError, match=f"(?s){message}"):
        check_mechanism(planted, Trust(rounds=3))


class Echo(Noise):
    """Draws with the key of the game's own draws."""

    def _key(self, key: Array, state: Any, purpose: int) -> Array:
        return seeds.fold(key, "commons", state.clock)


class Raw(Noise):
    """Draws with the match's own key."""

    def _key(self, key: Array, state: Any, purpose: int) -> Array:
        return key


class Stuck(Noise):
    """Forgets its clock: the same draws in every round."""

    def _key(self, key: Array, state: Any, purpose: int) -> Array:
        return seeds.fold(key, self.label, purpose)


class Named(Noise):
    """Goes by its name where it should go by its label: two of them tremble together."""

    def _key(self, key: Array, state: Any, purpose: int) -> Array:
        return seeds.fold(key, self.name, state.clock, purpose)


@pytest.mark.parametrize(
    ("planted", "message"),
    [
        (Echo, r"echo around echo around commons.* one key serves two draws \(in match \d+ at step 0, and in match \d+ at step 0\)"),
        (Raw, "raw around raw around commons.* a draw uses the match's own key"),
        (Stuck, r"stuck around stuck around commons.* one key serves two draws \(in match \d+ at step 0, and in match \d+ at step 1\)"),
        (Named, r"named around named around commons.* one key serves two draws \(in match \d+ at step 0, and in match \d+ at step 0\)"),
    ],
)
def test_reuses_a_key(planted: type, message: str) -> None:
    with pytest.raises(ContractError, match=f"(?s){message}"):
        check_mechanism(planted, Commons(seats=2, rounds=3, capacity=12, sharing="proportional"))


class Whispers(Punish):
    """Shows everybody whom the others are about to fine."""

    def look(self, state: Phases) -> Any:
        return super().look(state), jnp.broadcast_to(state.own.whom, (self.seats, self.seats))


class Mutters(Punish):
    """Says it, in words only."""

    def reports(self, state: Phases, seat: int) -> str:
        return f"{super().reports(state, seat)} They fine {(state.own.whom + 1).tolist()}."


class Gossip(Punish):
    """Shows what nobody has witnessed."""

    def look(self, state: Phases) -> Any:
        return super().look(state)._replace(deeds=jnp.broadcast_to(state.deeds, (self.seats, self.seats)))


class Reporter(Thin):
    """Shows all catches, where the game reports none."""

    def look(self, state: Layer) -> Any:
        return jnp.broadcast_to(state.game.caught, (self.seats, self.seats))


@pytest.mark.parametrize(
    ("planted", "message"),
    [
        (Whispers, "whispers around commons.* seat 2 sees the whispers's own.whom of another. It is private"),
        (Mutters, "mutters around commons.* reads .* where its sight is the same. They tell of mutters's own.whom"),
        (Gossip, "gossip around commons.* seat 1 sees what seats 2 and 3 did, of which the game shows it nothing"),
        (Reporter, "reporter around commons.* sees the commons's caught of another. It is private"),
    ],
)
def test_leaks_a_private_field(planted: type, message: str) -> None:
    with pytest.raises(ContractError, match=f"(?s){message}"):
        check_mechanism(planted, COMMONS)


# further mechanisms


class Tax(Phased):
    """Takes a point from everybody after each round, asked or not: it has no null."""

    game: Any
    closing = True

    def begin(self, key: Array) -> Any:
        return ()

    def played(self, key: Array, state: Phases, turn: Turn) -> tuple[Any, Array]:
        return (), jnp.where(turn.round_over, -jnp.ones(self.seats, jnp.float32), 0)


class Shaky(Noise):
    """Trembles also when idle."""

    null = {}
    game: Any
    rate: float = 0.5


class First(Thin):
    """Puts its question before the game's."""

    @property
    def questions(self) -> tuple[Question, ...]:
        return (Question("well", ("yes", "no")), *self.game.questions)


class Twin(Thin):
    """Calls itself as the game inside."""

    @property
    def label(self) -> str:
        return self.game.label


@pytest.mark.parametrize(
    ("planted", "message"),
    [
        (Tax, "with all seats neutral the base game's rewards changed in match 0"),
        (Shaky, "with all seats neutral the base game's (state|number of steps|rewards|questions)"),
        (First, r"its first questions are \['well'\]. The game's own come first"),
        (Twin, "the labels are .*Each layer has its own"),
        (Unwrapped, r"unwrapped around dilemma.* its state is State, which holds no state of the game inside. .*super\(\).start"),
        (Unwrapping, r"unwrapping around dilemma.* its state after a step is State, before it Layer. .*super\(\).step"),
    ],
)
def test_bad_mechanisms(planted: type, message: str) -> None:
    with pytest.raises(ContractError, match=f"(?s){message}"):
        check_mechanism(planted, Dilemma(rounds=3))


# games


class Mute(Dilemma):
    def tell(self, state: Any, seat: int) -> str:
        return ""


class Speechless(Dilemma):
    def ask(self, state: Any) -> Ask:
        return everyone(self, options=jnp.array([[True, True], [False, False]]))


class Gappy(Ultimatum):
    """Rules out the offer of nothing as if it were an option."""

    def ask(self, state: Any) -> Ask:
        ask = super().ask(state)
        return ask._replace(legal=ask.legal._replace(options=ask.legal.options.at[:, 0].set(False)))


class Endless(Dilemma):
    def step(self, key: Array, state: Any, moves: Array) -> Turn:
        return super().step(key, state, moves)._replace(truncated=jnp.array(False))


class Boundless(Dilemma):
    def step(self, key: Array, state: Any, moves: Array) -> Turn:
        turn = super().step(key, state, moves)
        return turn._replace(rewards=turn.rewards * 3)


class Branching(Dilemma):
    def step(self, key: Array, state: Any, moves: Array) -> Turn:
        return super().step(key, state, moves) if state.clock else super().step(key, state, 1 - moves)


class Growing(Dilemma):
    def step(self, key: Array, state: Any, moves: Array) -> Turn:
        turn = super().step(key, state, moves)
        return turn._replace(state=turn.state._replace(clock=turn.state.clock.astype(jnp.float32)))


class Wide(Dilemma):
    def step(self, key: Array, state: Any, moves: Array) -> Turn:
        turn = super().step(key, state, moves)
        return turn._replace(rewards=turn.rewards[:1])


class Virtuous(Dilemma):
    def step(self, key: Array, state: Any, moves: Array) -> Turn:
        turn = super().step(key, state, moves)
        return turn._replace(deeds=2 * turn.deeds)


class Partial(Dilemma):
    """The first seat has an advantage, and no role says so."""

    def step(self, key: Array, state: Any, moves: Array) -> Turn:
        turn = super().step(key, state, moves)
        return turn._replace(rewards=turn.rewards - jnp.array([0.0, 0.5]))

    def oracles(self) -> list[Any]:
        return []


class Compiled(PublicGoods):
    """A number that is drawn while compiling."""

    def step(self, key: Array, state: Any, moves: Array) -> Turn:
        turn = super().step(key, state, moves)
        return turn._replace(rewards=turn.rewards + next(count))


class Peeking(Commons):
    """Shows every seat what the others wanted."""

    def look(self, state: Any) -> Any:
        return super().look(state), jnp.broadcast_to(state.wanted, (self.seats, self.seats))


class Loud(Commons):
    """Tells it, in words only."""

    def tell(self, state: Any, seat: int) -> str:
        return f"{super().tell(state, seat)} They wanted {state.wanted.tolist()}."


class Haunted(Commons):
    """A retired seat has deeds."""

    def step(self, key: Array, state: Any, moves: Array) -> Turn:
        turn = super().step(key, state, moves)
        return turn._replace(deeds=jnp.nan_to_num(turn.deeds, nan=1.0))


class Modest(Dilemma):
    """Says that it has no deeds."""

    deeds = False


class Absent(Dilemma):
    @property
    def questions(self) -> tuple[Question, ...]:
        return (Question("choose", ("cooperate", "defect"), neutral=2),)


@pytest.mark.parametrize(
    ("planted", "message"),
    [
        (Mute(), "mute: tell for seat 1 is ''"),
        (Speechless(), r"a seat is asked, but no move is legal \(in match 0 at step 0, seat 2\)"),
        (Gappy(), r"options rule out an amount \(.*\). An amount has low and high only"),
        (Endless(rounds=3), "a match went on after 3 steps. max_steps says how many it takes at most"),
        (Boundless(), "random play has .* its ceiling is"),
        (Branching(), "step does not compile, TracerBoolConversionError.*jnp.where instead of"),
        (Growing(), r"its state changes .clock from int32\[\] to float32\[\]"),
        (Wide(), r"step\(...\).rewards is float32\[1\]. It must be float32\[2\]"),
        (Virtuous(), "a deed lies outside 0..1"),
        (Partial(), "the same players in other seats have other rewards"),
        (Compiled(), "a match alone differs from the same match among"),
        (Peeking(seats=3, rounds=3, capacity=12), "sees the peeking's wanted of another. It is private"),
        (Loud(seats=3, rounds=3, capacity=12), "They tell of loud's wanted: `tell` says no more than the sight shows"),
        (Haunted(seats=3, rounds=3, capacity=12), "a seat that made no move has a deed"),
        (Modest(), "it has deeds. `deeds` says that it has none"),
        (Absent(), "question 'choose' has neutral=2. It is the index of a move, 0..1"),
    ],
    ids=lambda value: value.name if isinstance(value, Game) else "",
)
def test_bad_games(planted: Game, message: str) -> None:
    with pytest.raises(ContractError, match=f"(?s){message}"):
        check_game(planted)


# policies


class Cheating(Policy):
    """Plays a move that is not there."""

    def act(self, key: Array, memory: Any, sight: Any, legal: Legal) -> tuple[Array, Any]:
        return legal.high + 1, memory


class Padded(Policy):
    """Draws by the length of `legal`."""

    def act(self, key: Array, memory: Any, sight: Any, legal: Legal) -> tuple[Array, Any]:
        return jnp.minimum(seeds.below(key, legal.options.shape[0]), 1), memory


class Forgetful(Policy):
    """Its memory becomes something else."""

    def start(self) -> Array:
        return jnp.int32(0)

    def act(self, key: Array, memory: Array, sight: Any, legal: Legal) -> tuple[Array, Array]:
        return jnp.int32(0), memory / 2


class Impure(Policy):
    """Counts its calls outside its memory."""

    def act(self, key: Array, memory: Any, sight: Any, legal: Legal) -> tuple[Array, Any]:
        return jnp.int32(next(count) % 2), memory


class Undecided(Policy):
    """Answers a row of moves."""

    def act(self, key: Array, memory: Any, sight: Any, legal: Legal) -> tuple[Array, Any]:
        return legal.options.astype(jnp.int32), memory


class Choosy(Policy):
    """Decides in Python on a value that is traced."""

    game = "dilemma"

    def act(self, key: Array, memory: Any, sight: Any, legal: Legal) -> tuple[Array, Any]:
        return (jnp.int32(1) if sight.other == 1 else jnp.int32(0)), memory


class Halving(Policy):
    """Plays a number that is not whole; NaN when it sees nothing."""

    game = "dilemma"

    def act(self, key: Array, memory: Any, sight: Any, legal: Legal) -> tuple[Array, Any]:
        return sight.other / 2, memory


class Wordy(Policy):
    def act(self, key: Array, memory: Any, sight: Any, legal: Legal) -> Any:
        return "10", memory


class Short(Policy):
    def act(self, key: Array, memory: Any, sight: Any, legal: Legal) -> Any:
        return jnp.int32(0)


@pytest.mark.parametrize(
    ("planted", "message"),
    [
        (Cheating, r"it plays 2, legal are \[0, 1\], and it sees .*legal.nearest"),
        (Padded, "it plays otherwise where `legal` is longer"),
        (Forgetful, r"forgetful: its memory changes from int32\[\] to float32\[\]"),
        (Halving, r"halving: its move is float32\[\]. A move is one whole number"),
        (Wordy, "wordy: its move is '10'. A move is one whole number"),
        (Short, r"short: act gave int32\[\]. It gives two things: return move, memory"),
        (Impure, "one key, memory and sight gave"),
        (Undecided, r"its move has the shape \[2\]"),
        (Choosy, "act does not compile, TracerBoolConversionError"),
    ],
)
def test_bad_policies(planted: type, message: str) -> None:
    with pytest.raises(ContractError, match=f"(?s){message}"):
        check_policy(planted, "dilemma(rounds=3)")


def test_a_policy_of_another_game_is_refused() -> None:
    with pytest.raises(ContractError, match=r"it plays 'commons'. `game` names a game or mechanism at the table: dilemma"):
        check_policy("sustainer", "dilemma")


# agents


class Rambling(Agent):
    async def __call__(self, view: View) -> Answer:
        return Answer(text="I would rather not say.")


class Remembering(Agent):
    """Says that it is pure, and counts its calls."""

    pure = True

    def __init__(self) -> None:
        self.calls = 0

    async def __call__(self, view: View) -> Answer:
        self.calls += 1
        return Answer(self.calls % 2)


class Hoarding(Agent):
    """Remembers what cannot be written down."""

    async def __call__(self, view: View) -> Answer:
        return Answer(0, memory=np.zeros(2))


def counting(view: View) -> Answer:
    """Counts its calls on itself."""
    counting.calls = getattr(counting, "calls", 0) + 1  # type: ignore[attr-defined]
    return Answer(text="cooperate" if counting.calls < 3 else "defect")  # type: ignore[attr-defined]


def reading(view: View) -> Answer:
    """Remembers in its answer, and changes the list that it was given."""
    memory = view.memory or []
    memory.append(view.round)
    return Answer(len(memory) % 2, memory=memory)


def test_a_function_that_keeps_no_state() -> None:
    check_agent(reading)


class Costly(Agent):
    costs = True


@pytest.mark.parametrize(
    ("planted", "message"),
    [
        (Rambling(), "step 0: its answer could not be read, the last line was 'I would rather not say"),
        (Remembering(), "the same match, played again, went differently"),
        (Hoarding(), "step 0: its memory is array"),
        (counting, "asked again, in another order, it answered 'defect' instead of 'cooperate'. An agent keeps no state of its own"),
    ],
)
def test_bad_agents(planted: Any, message: str) -> None:
    with pytest.raises(ContractError, match=f"(?s){message}"):
        check_agent(planted)


def test_a_paid_agent_is_not_called_unless_allowed() -> None:
    with pytest.raises(SpecError, match=r"Costly: its calls are paid.*paid=True"):
        check_agent(Costly())
