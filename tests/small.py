"""Games in a size that is soon played, for tests of every game."""

from commonage import find

SMALL = {
    "dilemma": "dilemma(rounds=3)",
    "commons": "commons(seats=3,rounds=3,capacity=12,report=false)",
    "trust": "trust(rounds=3)",
    "ultimatum": "ultimatum(rounds=3,swap=true)",
    "public_goods": "public_goods(seats=3,rounds=3)",
    "donor": "donor(seats=4,rounds=4)",
    "coin_game": "coin_game(rounds=2,round_steps=3)",
    "market": "market(seats=3,rounds=3)",
    "trash": "trash(seats=3,rounds=3,capacity=12,added=6,limit=9,report=false)",
    "cleanup": "cleanup(seats=3,rounds=2,round_steps=6,dirt_from=2)",
    "coins": "coins(height=5,width=5,growth=0.2,rounds=2,round_steps=6)",
    "matrix": "matrix(rounds=2,round_steps=8,freeze=2,away=1)",
    "harvest": "harvest(seats=3,rounds=2,round_steps=6)",
    "gathering": "gathering(seats=3,rounds=2,round_steps=6,zap_hits=1,regrow=3)",
    "kitchen": "kitchen(rounds=2,round_steps=8,time=3)",
    "pool": "pool(seats=3,rounds=4,reach=100)",
    "maze": "maze(rounds=4)",
}
WHOLE = dict.fromkeys(("rota",), "(whole=true,")  # policies that plan with the whole map


def small(game: str) -> str:
    """The game as text; as it is where it is small."""
    return SMALL.get(game, game)


def compiled() -> list[str]:
    """The names of all games that compile."""
    return [name for name in sorted(find.parts("games")) if find.find("games", name).compiles]
