"""Noise, played out."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from towers import Plays, asked, asks, ours, play, turns, unchanged

from commonage import seeds
from commonage.errors import SpecError
from commonage.games.coin_game import CoinGame
from commonage.games.commons import Commons
from commonage.games.dilemma import Dilemma
from commonage.games.trust import Trust
from commonage.mechanisms.contract import Contract
from commonage.mechanisms.noise import Noise
from commonage.mechanisms.punish import Punish
from commonage.mechanisms.talk import Talk
from commonage.policies.fine_overusers import FineOverusers
from commonage.policies.pledger import Pledger
from commonage.policies.random import Random
from commonage.policies.signer import Signer
from commonage.policies.sustainer import Sustainer
from commonage.policies.tit_for_tat import TitForTat

C, D = 0, 1


def test_with_rate_1_every_move_of_a_dilemma_is_turned_round():
    steps = play(Noise(Dilemma(rounds=3), rate=1), Plays((C,)), Plays((C, D, C)))
    assert steps.move[:, 0].tolist() == [[C, C], [C, D], [C, C]]  # what was chosen
    assert steps.deeds[:, 0].tolist() == [[0, 0], [0, 1], [0, 0]]  # what came out
    assert steps.rewards[:, 0].tolist() == [[1, 1], [5, 0], [1, 1]]
    assert steps.facts["noise.trembled"].all()


def test_everybody_sees_what_came_out():
    tower = Noise(Dilemma(), rate=1)
    turn = turns(tower, [C, C])[0]
    sight = tower.sights(turn.state)["dilemma"]
    assert (np.asarray(sight.mine).tolist(), np.asarray(sight.other).tolist()) == ([D, D], [D, D])
    assert "you chose defect, the other defect" in tower.tell(turn.state, 0)


def test_it_trembles_at_its_rate_and_independently():
    """40,000 choices at rate 0.1: the share, and the correlation of the two seats and of successive rounds, within 4 sigma."""
    trembled = play(Noise(Dilemma(rounds=20), rate=0.1), Plays(), Plays(), matches=1000).facts["noise.trembled"].astype(float)
    assert abs(trembled.mean() - 0.1) < 4 * np.sqrt(0.09 / 40_000)
    assert abs(np.corrcoef(trembled[..., 0].ravel(), trembled[..., 1].ravel())[0, 1]) < 4 / np.sqrt(20_000)
    assert abs(np.corrcoef(trembled[1:].ravel(), trembled[:-1].ravel())[0, 1]) < 4 / np.sqrt(38_000)


def test_another_move_is_drawn_uniformly_among_the_legal_ones():
    """4,000 walkers who mean to stay, at rate 1: chi-squared of the other four moves, 3 degrees, below its 99.9 % point."""
    tower, keys = Noise(CoinGame(size=5), rate=1), seeds.fold(seeds.root(1), jnp.arange(2000))
    before = jax.jit(jax.vmap(tower.start))(keys)
    after = jax.jit(jax.vmap(lambda key, state: tower.step(key, state, jnp.array([4, 4])).state))(keys, before)
    way = (np.asarray(after.game.at) // 5 - before.game.at // 5) % 5 * 5 + (np.asarray(after.game.at) - before.game.at) % 5
    counts = [int((way == step).sum()) for step in (4 * 5, 1 * 5, 4, 1)]  # up, down, left, right
    assert sum(counts) == 4000
    assert sum((count - 1000) ** 2 / 1000 for count in counts) < 16.27


def test_the_only_legal_move_never_trembles():
    """With nothing sent the trustee can only return 0; the investor's hand trembles."""
    tower = Noise(Trust(), rate=1)
    sent = turns(tower, [0, -1])[0]
    assert sent.state.trembled.tolist() == [True, False]
    assert sent.state.game.sent > 0
    nothing = Noise(Commons(seats=2, capacity=1, collapse=1), rate=1)
    assert turns(nothing, [-1, 0])[0].state.trembled.tolist() == [False, True]  # a retired seat has no hand


@pytest.mark.parametrize("game", [Dilemma(), pytest.param(Commons(), marks=pytest.mark.slow)])
def test_the_same_hands_tremble_whatever_else_is_on(game):
    """The base game's own record is bit-identical with talk, fines and contracts inside or around the noise, all in use."""
    players = [(Random(), Pledger(), FineOverusers(), Signer())] * game.seats
    record = play(Noise(game, rate=0.3), *players, matches=9)
    assert record.facts["noise.trembled"].any()
    for tower in (Noise(Talk(Punish(game)), rate=0.3), Talk(Noise(Contract(game), rate=0.3))):
        steps = play(tower, *players, matches=9)
        for match in range(9):
            mine, bare = ours(tower, steps, match), record.live[:, match]
            for fact in [*game.facts(game.start(np.zeros(2, np.uint32))), "noise.trembled"]:
                np.testing.assert_array_equal(steps.facts[fact][mine, match], record.facts[fact][bare, match])
            np.testing.assert_array_equal(steps.move[mine, match], record.move[bare, match])
            np.testing.assert_array_equal(steps.deeds[mine, match], record.deeds[bare, match])


def test_what_is_said_and_fined_never_trembles():
    """Signals, fines and signatures at rate 1: the layers record what was chosen."""
    tower = Noise(Talk(Punish(Dilemma(rounds=2))), rate=1)
    steps = play(tower, (Plays((C,)), Pledger(), FineOverusers()), (Plays((C,)), Pledger()))
    assert asked(tower, steps) == ["say", "choose", "fine whom", "units"] * 2
    assert (steps.facts["talk.said"][:, 0] == 2).all()
    assert steps.facts["punish.fined"][3, 0].tolist() == [0, 3]
    assert steps.facts["noise.trembled"][:, 0].tolist() == [[0, 0], [1, 1], [0, 0], [0, 0]] * 2


def test_a_tremble_is_counted_once():
    """A fine or a talk outside doesn't repeat the last step's tremble."""
    players = [(Plays((C,)), FineOverusers())] * 2
    bare = play(Noise(Dilemma(), rate=0.3), *players)
    for tower in (Talk(Noise(Dilemma(), rate=0.3)), Talk(Punish(Noise(Dilemma(), rate=0.3)), when="after")):
        assert play(tower, *players).facts["noise.trembled"].sum() == bare.facts["noise.trembled"].sum() > 0


def test_at_rate_0_nothing_changes():
    assert Noise.null == {"rate": 0.0}
    unchanged(Dilemma(), Noise(Dilemma(), rate=0), Random(), TitForTat())
    unchanged(Commons(), Noise(Commons(), rate=0), Random(), *[Sustainer()] * 4)


def test_words_and_wrong_parameters():
    assert "a probability of 5 per cent" in Noise(Dilemma()).rules(0)
    assert asks(Noise(Dilemma()), Noise(Dilemma()).start(np.zeros(2, np.uint32))) == [0, 0]
    with pytest.raises(SpecError, match="rate must be between 0 and 1"):
        Noise(Dilemma(), rate=1.5)
