"""The donor game, played out."""

from collections import Counter

import jax.numpy as jnp
import numpy as np
import pytest
from played import ask, holds, look, match, start, step, turns

from commonage.errors import SpecError
from commonage.games.donor import Donor
from commonage.policies.generous_donor import GenerousDonor
from commonage.policies.image_donor import ImageDonor
from commonage.policies.pay_it_forward import PayItForward
from commonage.policies.reciprocal_donor import ReciprocalDonor

SCHEDULES = ("alternating", "notebook")


def final(game, percent):
    """Holdings at the end, when all donors always give the same share."""
    return match(game, *[GenerousDonor(share=percent)] * game.seats).facts["holdings"][-1]


def directed(game):
    """All (donor, recipient) of a match."""
    gives, other = game.pairs
    return [(i, int(other[r, i])) for r in range(game.rounds) for i in np.flatnonzero(gives[r])]


# --- who gives to whom


def test_the_two_orders():
    turn = lambda schedule: "".join("A" if row[0] else "B" for row in Donor(schedule=schedule).pairs[0][:12])
    assert turn("alternating") == "ABABABABABAB"
    assert turn("notebook") == "ABABABBABABA"


def test_how_far_b_is_rotated():
    shift = lambda schedule: [int(row[0]) - 6 for row in Donor(schedule=schedule).pairs[1][:12]]
    assert shift("alternating") == [(r // 2 + 3 * (r % 2)) % 6 for r in range(12)]
    assert shift("notebook") == [r % 6 for r in range(12)]


@pytest.mark.parametrize("schedule", SCHEDULES)
@pytest.mark.parametrize("seats", [2, 4, 6, 8, 10, 12, 14])
def test_every_directed_cross_pair_meets_once(schedule, seats):
    half = seats // 2
    met = Counter(directed(Donor(seats=seats, rounds=seats, schedule=schedule)))
    cross = {(i, j) for i in range(seats) for j in range(seats) if (i < half) != (j < half)}
    assert set(met) == cross
    assert set(met.values()) == {1}


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_pairs_are_mutual_and_one_of_each_gives(schedule):
    gives, other = Donor(schedule=schedule).pairs
    for r in range(12):
        assert other[r][other[r]].tolist() == list(range(12))
        assert (gives[r] ^ gives[r][other[r]]).all()


def test_only_donors_are_asked():
    which = ask(Donor(), start(Donor())).which
    assert which.tolist() == [0] * 6 + [-1] * 6


# --- what a donation does


def test_a_match_of_four():
    game = Donor(seats=4, rounds=3)  # seats 1, 2 against 3, 4; shifts 0, 1, 1
    first, second, third = turns(game, [50, 20, -1, -1], [-1, -1, 10, 100], [25, 0, -1, -1])
    np.testing.assert_allclose(first.state.holdings, [5, 8, 20, 14], rtol=1e-6)
    np.testing.assert_allclose(first.rewards, [-5, -2, 10, 4], rtol=1e-6)
    np.testing.assert_allclose(first.deeds, [0.5, 0.2, np.nan, np.nan], rtol=1e-6)
    np.testing.assert_allclose(second.state.holdings, [33, 12, 18, 0], rtol=1e-6)  # 3 gives to 2, 4 to 1
    np.testing.assert_allclose(third.state.holdings, [24.75, 12, 18, 16.5], rtol=1e-6)  # 1 gives to 4, 2 to 3
    assert [bool(turn.truncated) for turn in (first, second, third)] == [False, False, True]
    facts = game.facts(second.state)
    assert facts["donated"].tolist() == [-1, -1, 10, 100]
    np.testing.assert_allclose(facts["holdings"], [33, 12, 18, 0], rtol=1e-6)


def test_whom_a_deed_concerns():
    game = Donor(seats=4, rounds=4)
    state = turns(game, [50, 20, -1, -1])[0].state
    assert game.toward(start(game)).tolist() == [2, 3, -1, -1]
    assert game.toward(state).tolist() == [-1, -1, 1, 0]


def test_a_retired_donor_gives_nothing_and_is_still_given_to():
    game = Donor(seats=4, rounds=4)
    first, second = turns(game, [-1, 20, -1, -1], [-1, -1, 10, 100])
    np.testing.assert_allclose(first.state.holdings, [10, 8, 10, 14], rtol=1e-6)
    assert np.isnan(first.deeds).tolist() == [True, False, True, True]
    assert first.state.donated.tolist() == [-1, 20, -1, -1]
    assert first.state.received.tolist() == [-1, -1, -1, 20]
    np.testing.assert_allclose(second.state.holdings, [38, 10, 9, 0], rtol=1e-6)


# --- closed form (Vallinder & Hughes 2024): mean final holdings at a constant donated share

ALTERNATING = {0: 10, 10: 18.748, 25: 53.5, 50: 394, 75: 3483, 100: 30720}  # exact 18.74826; it is also cited as 18.8: rounded twice
NOTEBOOK = {0: 10, 10: 18.7, 25: 52.0, 50: 341, 100: 15360}


@pytest.mark.parametrize(
    ("schedule", "percent", "mean"),
    [(s, *item) for s, table in zip(SCHEDULES, (ALTERNATING, NOTEBOOK), strict=True) for item in table.items()],
)
def test_mean_final_holdings(schedule, percent, mean):
    places = len(str(mean).partition(".")[2])
    assert round(float(final(Donor(schedule=schedule), percent).mean()), places) == pytest.approx(mean)


@pytest.mark.parametrize("percent", [0, 10, 25, 50, 75, 100])
def test_growth_is_a_matrix_power(percent):
    """A round takes (donors, recipients) = (x, y) to (y + 2 d x, (1 - d) x), named by their next roles."""
    d = percent / 100
    matrix = np.array([[2 * d, 1], [1 - d, 0]])
    exact = np.linalg.matrix_power(matrix, 12) @ [10, 10]
    holdings = final(Donor(), percent)
    np.testing.assert_allclose([holdings[:6], holdings[6:]], np.repeat(exact[:, None], 6, 1), rtol=1e-5)
    eigenvalue = max(np.linalg.eigvals(matrix))
    assert eigenvalue == pytest.approx(d + np.sqrt(d**2 - d + 1))


@pytest.mark.parametrize("percent", [10, 50, 75])
def test_growth_a_round_tends_to_its_eigenvalue(percent):
    """In the eigenvector's proportions each round multiplies all by d + sqrt(d^2 - d + 1)."""
    d = percent / 100
    growth = d + np.sqrt(d**2 - d + 1)
    game = Donor(rounds=60)
    totals = match(game, *[GenerousDonor(share=percent)] * 12).facts["holdings"].sum(1)
    assert totals[-1] / totals[-2] == pytest.approx(growth, rel=1e-4)


# --- what a donor sees


def test_the_chain():
    """Seats 1, 2, 3 against 4, 5, 6; B is rotated by 0, 1, 1, 2, 2, 0."""
    game = Donor(seats=6, rounds=6)
    rows = [[10, 20, 30, -1, -1, -1], [-1, -1, -1, 40, 50, 60], [11, 21, 31, -1, -1, -1], [-1, -1, -1, 41, 51, 61]]
    states = [start(game), *(turn.state for turn in turns(game, *rows))]
    chains = [look(game, state).chain for state in states]
    nobody = [[-1, -1, -1]] * 3
    assert chains[0].tolist() == nobody + nobody
    # round 2: 4 gives to 3 (who gave 30 to 6), 5 to 1 (10 to 4), 6 to 2 (20 to 5)
    assert chains[1].tolist() == [*nobody, [30, -1, -1], [10, -1, -1], [20, -1, -1]]
    # round 3: 1 gives to 5 (who gave 50 to 1, who had given 10), 2 to 6 (60 to 2; 20), 3 to 4 (40 to 3; 30)
    assert chains[2].tolist() == [[50, 10, -1], [60, 20, -1], [40, 30, -1], *nobody]
    # round 4: 4 gives to 2 (who gave 21 to 6; 60; 20), 5 to 3 (31 to 4; 40; 30), 6 to 1 (11 to 5; 50; 10)
    assert chains[3].tolist() == [*nobody, [21, 60, 20], [31, 40, 30], [11, 50, 10]]
    # round 5: three back at most: 1 gives to 6 (61 to 1; 11; 50), and so on
    assert chains[4].tolist() == [[61, 11, 50], [41, 21, 60], [51, 31, 40], *nobody]
    assert look(game, states[3]).whom[3:].tolist() == [[5, 1, 4], [3, 2, 5], [4, 0, 3]]


def test_the_chain_when_a_half_gives_twice_running():
    """The notebook's order: in round 7 B gives again; the chain of its recipient ends in what that gave in round 5."""
    game = Donor(schedule="notebook")
    rows = [[10 * r + i % 6 if game.pairs[0][r, i] else -1 for i in range(12)] for r in range(6)]
    state = turns(game, *rows)[-1].state
    sight = look(game, state)
    # round 7: 7 gives to 1, who gave in round 5 to 11 (rotated by 4), who in round 4 had given to 2 (by 3), who in round 3 gave to 10
    assert sight.recipient[6] == 0
    assert sight.chain[6].tolist() == [40, 34, 21]
    assert sight.whom[6].tolist() == [10, 1, 9]


def test_without_a_trace_nothing_is_known():
    game = Donor(seats=4, rounds=4, trace=False)
    state = turns(game, [50, 20, -1, -1])[0].state
    sight = look(game, state)
    assert (sight.chain == -1).all()
    assert (sight.whom == -1).all()
    assert sight.gave.tolist() == [50, 20, -1, -1]
    assert (
        game.tell(state, 2)
        == "Round 2. You hold 20 points. You last received 50 per cent of what seat 1 held. You give to seat 2, who holds 8 points."
    )
    assert "own last one" not in game.rules(0)
    assert "own last one" in Donor().rules(0)


def test_words_say_what_the_sight_shows():
    game = Donor(seats=6, rounds=6)
    rows = [[10, 20, 30, -1, -1, -1], [-1, -1, -1, 40, 50, 60], [11, 21, 31, -1, -1, -1]]
    states = [start(game), *(turn.state for turn in turns(game, *rows))]
    assert game.tell(states[0], 0) == "Round 1. You hold 10 points. You give to seat 4, who holds 10 points."
    assert game.tell(states[0], 3) == "Round 1. You hold 10 points. This round you receive."
    assert game.tell(states[1], 0) == "Round 2. You hold 9 points. You last gave 10 per cent. This round you receive."
    # after round 2 seat 4 holds 12 - 4.8, seat 3 holds 7 + 9.6
    assert game.tell(states[2], 2) == (
        "Round 3. You hold 16.6 points. You last gave 30 per cent. You last received 40 per cent of what seat 4 held. "
        "You give to seat 4, who holds 7.2 points. Seat 4 last gave 40 per cent to seat 3, who before that had given 30 per cent to seat 6."
    )
    sight = look(game, states[2])
    assert sight.recipient.tolist() == [4, 5, 3, -1, -1, -1]
    assert sight.giver.tolist() == [4, 5, 3, 0, 1, 2]
    np.testing.assert_allclose(sight.theirs[2], 7.2, rtol=1e-6)
    assert sight.theirs[3:].tolist() == [-1, -1, -1]


def test_after_the_last_round_nobody_gives():
    game = Donor(seats=2, rounds=1)
    state = turns(game, [50, -1])[0].state
    assert game.tell(state, 0) == "The 1 rounds are over. You hold 5 points. You last gave 50 per cent."
    assert ask(game, state).which.tolist() == [-1, -1]


@pytest.mark.parametrize("me", range(6))
def test_what_does_not_concern_me_changes_neither_sight_nor_words(me):
    game = Donor(seats=6, rounds=6)
    state = turns(game, [10, 20, 30, -1, -1, -1], [-1, -1, -1, 40, 50, 60])[-1].state  # seats 1, 2, 3 give now
    partner = int(look(game, state).recipient[me])  # -1: I receive, and see nobody's
    private = [i for i in range(6) if i not in (me, partner)]
    strangers = [i for i in range(6) if i != me]
    other = state._replace(
        holdings=changed(state.holdings, private),
        donated=changed(state.donated, private),
        chain=changed(state.chain, private),
        whom=changed(state.whom, private),
        received=changed(state.received, strangers),
        giver=changed(state.giver, strangers),
    )
    for before, after in zip(look(game, state), look(game, other), strict=True):
        assert before[me].tolist() == after[me].tolist()
    assert game.tell(state, me) == game.tell(other, me)
    if partner >= 0:  # its holdings are seen, what it received is not
        assert game.tell(state, me) != game.tell(state._replace(holdings=changed(state.holdings, [partner])), me)


def changed(array, rows):
    """The array with other values in these rows."""
    out = np.array(array)
    out[rows] = (out[rows] + 1) % 6
    return out


def test_who_knows_whose_deed():
    game = Donor(seats=4, rounds=4)
    state = turns(game, [50, 20, -1, -1])[0].state
    # 3 and 4 received from 1 and 2, and give to 2 and 1 now: they see by the trace what these gave
    assert game.witness(state).astype(int).tolist() == [[1, 0, 0, 0], [0, 1, 0, 0], [1, 1, 1, 0], [1, 1, 0, 1]]
    game = Donor(seats=4, rounds=4, trace=False)
    assert game.witness(state).astype(int).tolist() == [[1, 0, 0, 0], [0, 1, 0, 0], [1, 0, 1, 0], [0, 1, 0, 1]]


# --- policies


def test_reciprocal_donors_answer_like_with_like():
    game = Donor(seats=4, rounds=3)
    steps = match(game, ReciprocalDonor(first=60), GenerousDonor(share=0), ReciprocalDonor(first=30), ReciprocalDonor(first=30))
    # round 2: 3 gives to 2 (who gave 0), 4 to 1 (who gave 60); round 3: 1 to 4 (who gave 60), 2 to 3
    assert steps.move.tolist() == [[60, 0, -1, -1], [-1, -1, 0, 60], [60, 0, -1, -1]]


def test_pay_it_forward_passes_on_what_it_received():
    game = Donor(seats=4, rounds=3)
    steps = match(game, PayItForward(first=60), GenerousDonor(share=10), *[PayItForward()] * 2)
    # round 2: 3 (who got 60) gives to 2, 4 (who got 10) to 1; round 3: 1 passes on its 10
    assert steps.move.tolist() == [[60, 10, -1, -1], [-1, -1, 60, 10], [10, 10, -1, -1]]


# --- floors and ceilings


@pytest.mark.parametrize(("schedule", "ceiling"), [("alternating", 30720), ("notebook", 15360)])
def test_giving_everything_is_the_proved_ceiling(schedule, ceiling):
    game = Donor(schedule=schedule)
    found = {(o.measure, o.side): o.value for o in game.oracles()}
    assert found["final_holdings", "ceiling"] == ceiling
    assert found["final_holdings", "floor"] == 10
    assert found["gain", "ceiling"] == ceiling - 10
    assert found["welfare_sum", "ceiling"] == game.yardsticks()["welfare"] == 12 * (ceiling - 10)
    assert float(final(game, 100).mean()) == ceiling
    assert {o.label for o in game.oracles()} == {"bound"}


@pytest.mark.parametrize("schedule", SCHEDULES)
@pytest.mark.parametrize("multiplier", [0.0, 0.5, 1.0, 1.5, 2.0, 3.0])
def test_no_search_breaks_a_bound(schedule, multiplier):
    holds(Donor(seats=4, rounds=7, schedule=schedule, multiplier=multiplier), reached=True)


# --- parameters


def test_bad_parameters_say_the_rule():
    for bad, says in (
        ({"seats": 5}, "an even number"),
        ({"schedule": "random"}, "alternating or notebook"),
        ({"multiplier": -1.0}, "at least 0"),
    ):
        with pytest.raises(SpecError, match=says):
            Donor(**bad)


def test_multiplier_and_endowment_are_leaves():
    """A grid of them compiles once."""
    step(Donor(seats=4), start(Donor(seats=4)), jnp.array([50, 0, -1, -1]))
    before = step._cache_size()
    out = step(Donor(seats=4, multiplier=3.0, endowment=20.0), start(Donor(seats=4, endowment=20.0)), jnp.array([50, 0, -1, -1]))
    assert step._cache_size() == before
    assert out.state.holdings.tolist() == [10, 20, 50, 20]


def test_scene_draws_every_seat():
    shapes = Donor(seats=4).scene(turns(Donor(seats=4), [50, 20, -1, -1])[0].state)
    assert [shape["text"] for shape in shapes] == ["1: 5", "2: 8", "3: 20", "4: 14"]


# --- the variant with punishment: who gave nothing may pay x to remove 2 x


def test_a_punishment_of_four():
    game = Donor(seats=4, rounds=2, punish=2)  # seats 1, 2 against 3, 4; shifts 0, 1
    gave, fined, back, last = turns(game, [0, 50, -1, -1], [40, -1, -1, -1], [-1, -1, 0, 0], [-1, -1, 100, 0])
    np.testing.assert_allclose(gave.state.holdings, [10, 5, 10, 20], rtol=1e-6)
    assert ask(game, gave.state).which.tolist() == [1, -1, -1, -1]  # seat 2 gave, and is not asked
    np.testing.assert_allclose(fined.state.holdings, [6, 5, 2, 20], rtol=1e-6)  # 4 of 10 removes 8 of 10
    np.testing.assert_allclose(fined.rewards, [-4, 0, -8, 0], rtol=1e-6)
    assert np.isnan(fined.deeds).all()
    assert fined.state.punished.tolist() == [40, -1, -1, -1]
    np.testing.assert_allclose(last.state.holdings, [6, 1, 0, 20], rtol=1e-6)  # 3 pays all its 2 points and takes 4 from seat 2
    assert [bool(turn.round_over) for turn in (gave, fined, back, last)] == [False, True, False, True]
    assert [bool(turn.truncated) for turn in (gave, fined, back, last)] == [False, False, False, True]


def test_nobody_falls_below_nothing():
    game = Donor(seats=2, rounds=2, punish=2)
    state = turns(game, [0, -1], [100, -1])[-1].state
    assert state.holdings.tolist() == [0, 0]


def test_a_punishment_is_seen_in_the_trace():
    game = Donor(seats=4, rounds=4, punish=2)
    state = turns(game, [0, 50, -1, -1], [40, -1, -1, -1])[-1].state
    sight = look(game, state)
    assert sight.punishing.tolist() == [False] * 4
    assert sight.chain[:, 0].tolist() == [-1, -1, 50, -41]  # 3 gives to 2, 4 to 1, who punished
    assert game.tell(state, 3) == (
        "Round 2. You hold 20 points. You last received 50 per cent of what seat 2 held. You give to seat 1, who holds 6 points. "
        "Seat 1 last paid 40 per cent to punish seat 3."
    )
    assert "Seat 1 gave you nothing last and paid 40 per cent of what it held to punish you." in game.tell(state, 2)
    assert "You last paid 40 per cent to punish." in game.tell(state, 0)
    asked = turns(game, [0, 50, -1, -1])[-1].state
    assert "You gave nothing to seat 3, who holds 10 points." in game.tell(asked, 0)
    assert "loses 2 times what the donor pays, but never holds less than 0" in game.rules(0)
    assert "punish" not in Donor().rules(0)


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_with_punishment_the_floor_is_nothing_and_the_ceiling_stays(schedule):
    game = Donor(seats=4, rounds=4, schedule=schedule, punish=2)
    found = {(o.measure, o.side): o.value for o in game.oracles()}
    assert found["final_holdings", "floor"] == 0
    assert found["gain", "floor"] == -10
    assert (
        found["final_holdings", "ceiling"]
        == {(o.measure, o.side): o.value for o in Donor(seats=4, rounds=4, schedule=schedule).oracles()}["final_holdings", "ceiling"]
    )
    holds(game, tries=64)
    assert turns(game, [0, 0, -1, -1], [100, 100, -1, -1])[-1].state.holdings.tolist() == [0] * 4  # the floor is reached in a round


def test_who_does_not_punish_plays_as_where_nobody_may():
    plain, variant = (
        match(Donor(seats=4, rounds=4, punish=p), *[ReciprocalDonor(first=0)] * 2, *[PayItForward(first=40)] * 2) for p in (0, 2)
    )
    np.testing.assert_allclose(plain.facts["holdings"], variant.facts["holdings"][1::2], rtol=1e-6)
    assert (variant.move[1::2].max(-1) <= 0).all()


# --- the donor that evolves


def test_an_image_donor_gives_by_the_trace():
    """Round 1: it knows nobody. Round 2: 3 gives to 2, who gave 20; 4 to 1, who gave 60. Round 3: 1 to 4, 2 to 3."""
    mine = {"first": 60, "base": -10, "slope": 50, "second": 25, "forward": 10}
    steps = match(Donor(seats=4, rounds=3), ImageDonor(**mine), GenerousDonor(share=20), *[ImageDonor(**mine)] * 2)
    third = -10 + 10 + 60 * 10 // 100, -10 + 30 + 20 * 10 // 100  # of what 3 and 4 received: 60 and 20
    assert steps.move.tolist()[1] == [-1, -1, *third]
    fourth = -10 + (50 * third[1] + 25 * 60) // 100 + 10 * third[1] // 100  # 4 gave third[1] to 1 itself, who had given 60
    assert steps.move.tolist()[2] == [fourth, 20, -1, -1]


def test_without_a_trace_an_image_donor_gives_its_first():
    steps = match(Donor(seats=4, rounds=3, trace=False), *[ImageDonor(first=30, slope=0, base=-100, forward=-50)] * 4)
    assert steps.move.tolist() == [[30, 30, -1, -1], [-1, -1, 15, 15], [22, 22, -1, -1]]  # -50 % of 15 is -7.5, cut to -8


def test_an_image_donor_fines_who_gave_little():
    game = Donor(seats=4, rounds=2, punish=2)
    steps = match(game, GenerousDonor(share=80), GenerousDonor(share=0), *[ImageDonor(base=-100, slope=0, fine=50)] * 2)
    assert steps.move.tolist() == [[80, 0, -1, -1], [-1, 0, -1, -1], [-1, -1, 0, 0], [-1, -1, 50, 10]]
