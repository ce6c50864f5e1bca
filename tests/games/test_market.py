"""The market, played out; its closed forms against numerical solutions made from the consumer's own problem."""

import numpy as np
import pytest
from played import holds, look, match, start, turns
from scipy import integrate, optimize

from commonage.errors import SpecError
from commonage.games.market import Market
from commonage.policies.best_reply import BestReply
from commonage.policies.cartel import Cartel
from commonage.policies.nash_seller import NashSeller
from commonage.policies.undercutter import Undercutter

BERTRAND, COURNOT = Market(), Market(kind="cournot")
BERTRANDS = [
    BERTRAND,
    Market(seats=3, a=100, b=1, g=0.9, c=10, top=600),
    Market(seats=4, a=30, b=2.5, g=2, c=0),
    Market(a=50, b=1.5, g=0, c=7),
]
COURNOTS = [COURNOT, Market(kind="cournot", seats=5, a=100, b=0.5, c=10, top=60), Market(kind="cournot", seats=3, a=90, b=3, c=0)]


def consumer(game, prices):
    """Utility matrix B, its linear term alpha and the bundle that maximises alpha q - q B q / 2 - p q over q >= 0 (Singh & Vives 1984)."""
    n, weight = game.seats, game.g / (game.seats - 1)
    utility = np.linalg.inv((game.b + weight) * np.eye(n) - weight)  # inverse demand: p = alpha - B q
    alpha, root = utility @ np.full(n, game.a), np.linalg.cholesky(utility)
    return utility, alpha, optimize.nnls(root.T, np.linalg.solve(root, alpha - prices))[0]


def profits(game, moves):
    """Each seller's profit, by the consumer's choice or the inverse demand."""
    if game.kind == "cournot":
        return (max(game.a - game.b * np.sum(moves), 0) - game.c) * np.asarray(moves)
    return (np.asarray(moves) - game.c) * consumer(game, moves)[2]


def move(game, deal):
    return deal.price if game.kind == "bertrand" else deal.quantity


def test_the_defaults_fall_on_whole_numbers():
    assert BERTRAND.nash() == (20, 32, 512)
    assert BERTRAND.monopoly() == (28, 24, 576)
    assert COURNOT.nash() == (20, 8, 128)
    assert COURNOT.monopoly() == (28, 6, 144)
    assert BERTRAND.yardsticks() == {"welfare": 23_040, "nash_profit": 1024, "monopoly_profit": 1152, "nash_surplus": 1024}
    assert COURNOT.yardsticks() == {"welfare": 5760, "nash_profit": 256, "monopoly_profit": 288, "nash_surplus": 256}


@pytest.mark.parametrize("game", BERTRANDS + COURNOTS)
def test_nash_is_where_best_replies_lead(game):
    """Each in turn maximises its own profit over all moves, not only over whole numbers, until nothing changes."""
    moves = np.full(game.seats, game.c + 1.0)
    for i in list(range(game.seats)) * 20:
        loss = lambda own, i=i: -profits(game, np.concatenate([moves[:i], own, moves[i + 1 :]]))[i]
        moves[i] = optimize.brute(loss, [(0, game._choke())], Ns=50, finish=optimize.fmin)[0]
    np.testing.assert_allclose(moves, move(game, game.nash()), rtol=3e-4)
    np.testing.assert_allclose(profits(game, moves), game.nash().profit, rtol=1e-4)


@pytest.mark.parametrize("game", BERTRANDS + COURNOTS)
def test_nobody_gains_by_leaving_nash_however_far(game):
    nash = move(game, game.nash())
    others = np.full(game.seats - 1, nash)
    best = max(profits(game, [own, *others])[0] for own in np.linspace(0, game._choke(), 500))
    assert best <= game.nash().profit * (1 + 1e-6)


@pytest.mark.parametrize("game", BERTRANDS + COURNOTS)
def test_the_joint_monopoly_is_the_largest_sum_of_profits(game):
    """A global search over all sellers' moves, also those at which some sell nothing."""
    total = lambda moves: -profits(game, moves).sum()
    found = optimize.differential_evolution(total, [(0, game._choke())] * game.seats, rng=1, tol=1e-10, maxiter=150, polish=False)
    assert -found.fun <= game.seats * game.monopoly().profit * (1 + 1e-9)
    np.testing.assert_allclose(-found.fun, game.seats * game.monopoly().profit, rtol=1e-4)
    np.testing.assert_allclose(total([move(game, game.monopoly())] * game.seats), -game.seats * game.monopoly().profit, rtol=1e-9)


@pytest.mark.parametrize("game", BERTRANDS)
def test_demand_is_what_the_consumer_buys(game):
    """Random prices, many of them beyond what anybody pays: nothing bought is negative, and the surplus is the utility left."""
    rng, out = np.random.default_rng(1), 0
    for _ in range(200):
        prices = rng.integers(0, int(1.3 * game._choke()), game.seats)
        utility, alpha, bought = consumer(game, prices)
        _, quantity, surplus = game.sales(prices)
        np.testing.assert_allclose(quantity, bought, rtol=1e-4, atol=1e-3)
        np.testing.assert_allclose(surplus, (alpha - prices) @ bought - bought @ utility @ bought / 2, rtol=1e-4, atol=1e-2)
        out += (bought == 0).any() and (bought > 0).any()
    assert out > 10  # some sell nothing while others sell


@pytest.mark.parametrize("game", BERTRANDS)
def test_the_surplus_is_the_area_under_demand(game):
    """The integral of demand along the way from the prices to where nobody buys."""
    for prices in (np.full(game.seats, 5.0), np.arange(game.seats) * 9.0 + 1):
        way = game._choke() - prices
        area = integrate.quad(lambda t, p=prices, w=way: w @ consumer(game, p + t * w)[2], 0, 1, limit=200)[0]
        np.testing.assert_allclose(game.sales(prices)[2], area, rtol=1e-4)


def test_the_surplus_of_quantities_is_the_triangle_above_the_price():
    for quantities in ([8, 8], [0, 0], [26, 0], [40, 40]):  # 26 brings the price to 0
        price = max(52 - 2 * sum(quantities), 0)
        area = integrate.quad(lambda q, price=price: max(52 - 2 * q, 0) - price, 0, min(sum(quantities), 26))[0]
        np.testing.assert_allclose(COURNOT.sales(np.array(quantities))[2], area, rtol=1e-6, atol=1e-6)


def test_a_round_of_prices():
    turn = turns(BERTRAND, [20, 28])[0]
    assert turn.rewards.tolist() == [16 * 40, 24 * 16]
    assert turn.deeds.tolist() == [0, 1]
    assert (bool(turn.round_over), bool(turn.ended), bool(turn.truncated)) == (True, False, False)
    facts = BERTRAND.facts(turn.state)
    assert {name: value.tolist() for name, value in facts.items()} == {
        "price": [20, 28],
        "quantity": [40, 16],
        "profit": [640, 384],
        "surplus": (40 * (52 - 20) + 16 * (52 - 28)) / 2,
    }


def test_who_prices_itself_out_sells_nothing_and_lifts_nobody():
    """Against 3, the other sells nothing from 27.5 on: a price of 28, 40 or 400 is all the same."""
    market = Market(top=400)
    rewards = [turns(market, [3, price])[0].rewards.tolist() for price in (28, 40, 400)]
    assert rewards == [[(3 - 4) * 73.5, 0]] * 3
    assert turns(Market(kind="cournot"), [40, 40])[0].rewards.tolist() == [-160, -160]  # a price of 0, not below


def test_collusive_from_the_midpoint_on():
    deed = lambda market, own: float(turns(market, [own, 10])[0].deeds[0])
    assert [deed(BERTRAND, price) for price in (0, 23, 24, 28, 40)] == [0, 0, 1, 1, 1]
    assert [deed(COURNOT, quantity) for quantity in (0, 6, 7, 8, 40)] == [1, 1, 1, 0, 0]


def test_undercutting_leads_to_nash_one_point_at_a_time():
    steps = match(Market(rounds=10), Undercutter(), Undercutter())
    assert steps.move[:, 0].tolist() == [28, 27, 26, 25, 24, 23, 22, 21, 20, 20]
    assert match(Market(rounds=4, kind="cournot"), Undercutter(), Undercutter()).move[:, 0].tolist() == [6, 7, 8, 8]


def test_a_cartel_holds_until_somebody_breaks_it():
    assert (match(BERTRAND, Cartel(), Cartel()).move == 28).all()
    steps = match(Market(rounds=5), Cartel(), Undercutter())
    assert steps.move.tolist() == [[28, 28], [28, 27], [20, 27], [20, 20], [20, 20]]
    steps = match(Market(rounds=3, kind="cournot"), Cartel(), NashSeller())
    assert steps.move.tolist() == [[6, 8], [8, 8], [8, 8]]


@pytest.mark.parametrize("game", [BERTRAND, COURNOT])
def test_best_replies_lead_to_nash(game):
    steps = match(game, BestReply(), BestReply())
    assert steps.move[0].tolist() == [round(move(game, game.monopoly()))] * 2
    assert (steps.move[5:] == round(move(game, game.nash()))).all()


def test_a_cartel_harms_the_buyers_by_448_a_round():
    for players, surplus in (((Cartel(), Cartel()), 576), ((NashSeller(), NashSeller()), 1024)):
        assert (match(BERTRAND, *players).facts["surplus"] == surplus).all()


@pytest.mark.parametrize("game", BERTRANDS + COURNOTS)
def test_the_ideals_in_sight_are_the_nearest_whole_moves(game):
    sight = look(game, start(game))
    for seen, deal in ((sight.nash, game.nash()), (sight.monopoly, game.monopoly())):
        assert (np.abs(np.asarray(seen) - move(game, deal)) <= 0.502).all()


def test_the_reply_in_sight_is_the_best_whole_number():
    for game in (BERTRAND, COURNOT):
        for other in (0, 5, 12, 20, 26):
            reply = int(look(game, turns(game, [1, other])[0].state).reply[0])
            payoffs = [profits(game, [own, other])[0] for own in range(game.top + 1)]
            assert payoffs[reply] >= max(payoffs) - 1e-9
    assert look(BERTRAND, start(BERTRAND)).reply.tolist() == [-1, -1]


@pytest.mark.parametrize("game", [Market(rounds=2, seats=3, top=60), Market(rounds=2, kind="cournot", seats=3, top=15)])
def test_bounds_hold(game):
    holds(game)


@pytest.mark.parametrize("game", [BERTRAND, Market(seats=3, top=200), COURNOT, Market(kind="cournot", seats=3, a=40, b=1, c=4, top=15)])
def test_bounds_are_reached(game):
    total = lambda own: game.rounds * turns(game, [own] * game.seats)[0].rewards.sum()
    bounds = {oracle.side: oracle.value for oracle in game.oracles() if (oracle.measure, oracle.label) == ("welfare_sum", "bound")}
    assert total(round(move(game, game.monopoly()))) == bounds["ceiling"]
    assert total(0 if game.kind == "bertrand" else game.top) == bounds["floor"]


def test_words():
    assert BERTRAND.tell(start(BERTRAND), 0) == "Round 1. Nobody has sold yet."
    turn = turns(BERTRAND, [20, 28])[0]
    assert BERTRAND.tell(turn.state, 1) == (
        "Round 2. Last round you sold 16 at 28, a profit of 384. The others: seat 1 sold 40 at 20."
    )  # fmt: skip
    assert "less 2 for each point of its own price, plus 1 for each point of the mean" in BERTRAND.rules(0)
    assert "52, less 2 for each unit" in COURNOT.rules(0)
    assert [shape["text"] for shape in BERTRAND.scene(turn.state)] == ["20", "28"]


def test_a_seat_without_a_move_sells_nothing():
    for game in (BERTRAND, COURNOT):
        turn = turns(game, [-1, 10])[0]
        assert turn.rewards[0] == 0
        assert np.isnan(turn.deeds[0])
    assert turns(COURNOT, [-1, 10])[0].rewards[1] == (52 - 20 - 4) * 10


@pytest.mark.parametrize(
    ("field", "value"),
    [("seats", 1), ("rounds", 0), ("kind", "stackelberg"), ("b", 0), ("g", 2), ("g", -1), ("c", 52), ("c", -1), ("top", 27)],
)
def test_wrong_parameters(field, value):
    with pytest.raises(SpecError, match=f"{field} must be"):
        Market(**{field: value})
