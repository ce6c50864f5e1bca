"""Text to objects and back: the grammar, towers, and what an error says."""

from __future__ import annotations

import contextlib
import re
import subprocess
import sys
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from commonage import spec
from commonage.agents.policy import PolicyAgent
from commonage.agents.remote import Remote
from commonage.errors import SpecError
from commonage.game import layers
from commonage.games.commons import Commons
from commonage.games.dilemma import Dilemma
from commonage.mechanisms.noise import Noise
from commonage.mechanisms.punish import Punish
from commonage.mechanisms.talk import Talk
from commonage.policies.cheat import Cheat
from commonage.policies.sustainer import Sustainer
from commonage.run import seats
from commonage.spec import Call, Seat
from commonage.teams.vote import Vote


def listed(text: str) -> list[str]:
    return [str(seat) for seat in spec.seats(text)]


# the grammar


@pytest.mark.parametrize(
    ("text", "seats"),
    [
        ("sustainer", ["sustainer"]),
        ("sustainer*4,cheat", ["sustainer"] * 4 + ["cheat"]),
        (" sustainer * 2 , cheat ", ["sustainer", "sustainer", "cheat"]),
        ("sustainer+fine_overusers*2,cheat(wary=5)", ["sustainer+fine_overusers"] * 2 + ["cheat(wary=5)"]),
        ("constant(10)", ["constant(10)"]),
        ("f(x=1,)", ["f(x=1)"]),
        ("f()", ["f"]),
        ("f(x=[1,2,])", ["f(x=[1,2])"]),
        ("f(x=[])", ["f(x=[])"]),
        ("vote(tit_for_tat,grim,random)", ["vote(tit_for_tat,grim,random)"]),
        ("vote(vote(a,b+c),d(x=1))*2", ["vote(vote(a,b+c),d(x=1))"] * 2),
        ("llm:provider/org/model:tag(verb=chat)", ["llm:provider/org/model:tag(verb=chat)"]),
        ("http://127.0.0.1:8000/play", ["http://127.0.0.1:8000/play"]),
        ('"http://host/play?key=a,b"*2', ['"http://host/play?key=a,b"'] * 2),
        ("python:mod:fn,python:my/file.py:fn", ["python:mod:fn", "python:my/file.py:fn"]),
        ("mine.py:Mine(x=1)", ["mine.py:Mine(x=1)"]),
        ('"my games/mine.py:Mine"(x=1)', ['"my games/mine.py:Mine"(x=1)']),
    ],
)
def test_seats(text: str, seats: list[str]) -> None:
    assert listed(text) == seats
    assert listed(",".join(seats)) == seats


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("3", 3),
        ("-3", -3),
        ("+3", 3),
        ("0.5", 0.5),
        (".5", 0.5),
        ("1e-3", 0.001),
        ("3.0", 3.0),
        ("true", True),
        ("false", False),
        ("none", None),
        ("pasture", "pasture"),
        ("a.b/c:d-e", "a.b/c:d-e"),
        ('"true"', "true"),
        ('"3"', "3"),
        ('"I will, perhaps"', "I will, perhaps"),
        ("'I will, perhaps'", "I will, perhaps"),
        (r'"say \"no\" \\ é"', 'say "no" \\ é'),
        ("[1,[a,true]]", [1, ["a", True]]),
        ("[0.7,0.2]", [0.7, 0.2]),
        ("grim*2", ["grim", "grim"]),
        ("grim(x=1)", Seat((Call("grim", (), {"x": 1}),))),
        ("a+b", Seat((Call("a"), Call("b")))),
    ],
)
def test_values(text: str, value: Any) -> None:
    found = spec.call(f"f(x={text})").options["x"]
    assert found == value
    assert type(found) is type(value)
    assert spec.call(f"f({text})").args == (value,)


def test_places_and_names() -> None:
    assert spec.call("commons(3, rounds=4)") == Call("commons", (3,), {"rounds": 4})
    assert spec.game("commons(3,4,20)") == Commons(seats=3, rounds=4, capacity=20)


def test_compact() -> None:
    for text in ("sustainer*4,cheat", "a,b,a", "a+b(x=1)*3,a", 'vote(a,"b c")*2'):
        assert spec.compact(spec.seats(text)) == text


words = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=12)
names = st.from_regex(r"[a-z][a-z_0-9:./\-]{0,8}", fullmatch=True).filter(lambda name: name not in ("true", "false", "none"))
keys = st.from_regex(r"[A-Za-z_][A-Za-z_0-9]{0,5}", fullmatch=True)
plain = st.one_of(st.integers(-(10**9), 10**9), st.floats(allow_nan=False, allow_infinity=False), st.booleans(), st.none(), words)


def calls(inner: Any, named: Any = names) -> Any:
    """Calls with at least one argument: as a value, one without would be a word."""
    both = st.tuples(st.lists(inner, max_size=2).map(tuple), st.dictionaries(keys, inner, max_size=2)).filter(any)
    return st.builds(lambda name, inside: Call(name, *inside), named, both)


values = st.recursive(
    plain, lambda inner: st.one_of(st.lists(inner, max_size=3), st.builds(lambda call: Seat((call,)), calls(inner))), max_leaves=6
)
odd = st.text(st.characters(codec="utf-8", exclude_characters='"\0'), min_size=1, max_size=8).filter(lambda name: name.strip(" "))


@settings(max_examples=150, deadline=None, derandomize=True)
@given(calls(values, names | odd))
@example(Call("talk", (), {"signals": ["I will cooperate", "no"]}))
@example(Call("http://host/play?key=1,2"))
def test_round_trip_of_calls(call: Call) -> None:
    assert spec.call(str(call)) == call


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    st.lists(
        st.lists(names.map(Call) | calls(values), min_size=1, max_size=2).map(lambda parts: Seat(tuple(parts))),
        min_size=1,
        max_size=4,
    )
)
def test_round_trip_of_seats(places: list[Seat]) -> None:
    assert spec.seats(spec.compact(places)) == places
    assert spec.seats(",".join(map(str, places))) == places


@settings(max_examples=150, deadline=None, derandomize=True)
@given(st.text(alphabet="ab(),+*=[]\" '\\1.:/-x", max_size=14))
def test_whatever_is_typed_is_read_or_refused(text: str) -> None:
    with contextlib.suppress(SpecError):
        places = spec.seats(text)
        assert spec.seats(spec.compact(places)) == places


# objects


@settings(max_examples=50, deadline=None, derandomize=True)
@given(st.floats(0, 100, width=32), st.floats(0, 100, width=32), st.integers(1, 5), st.sampled_from(["fishery", "pasture"]), st.booleans())
def test_round_trip_of_a_tower(cost: float, fine: float, most: int, skin: str, report: bool) -> None:
    tower = Talk(Punish(Commons(skin=skin, report=report), cost=cost, fine=fine, most=most), signals=("I will, perhaps", "no"))
    assert spec.game(*spec.tower(tower)) == tower


def test_only_what_differs_from_the_default_is_written() -> None:
    assert spec.text(Commons()) == "commons"
    assert spec.text(Commons(capacity=120)) == "commons(capacity=120)"
    assert spec.text(Punish(Commons(seats=3), fine=3)) == "punish"
    assert spec.text(Dilemma(payoffs=(4, 0, 3, 2.5))) == "dilemma(payoffs=[4,0,3,2.5])"


def test_of_several_mechanisms_the_first_named_is_outermost() -> None:
    tower = spec.game("commons", ["talk", "punish(fine=2)", "noise"])
    assert [type(layer) for layer in layers(tower)] == [Commons, Noise, Punish, Talk]
    assert tower == Talk(Punish(Noise(Commons()), fine=2))
    assert spec.tower(tower) == ("commons", ["talk", "punish(fine=2)", "noise"])


def test_a_tower_of_objects_and_texts() -> None:
    assert spec.game(Commons(seats=3), ["punish"]) == Punish(Commons(seats=3))
    assert spec.game(Punish(Commons(), fine=2), ["talk"]) == Talk(Punish(Commons(), fine=2))


def test_set_is_for_any_layer() -> None:
    assert spec.game("commons", ["punish"], {"fine": 5, "capacity": 50}) == Punish(Commons(capacity=50), fine=5)
    assert spec.game("commons(capacity=50)", [], {"capacity": 60}) == Commons(capacity=60)


def test_policies_of_a_seat() -> None:
    (seat,) = spec.seats("sustainer+fine_overusers(notice=0.5)")
    assert [spec.text(policy) for policy in spec.policies(seat)] == ["sustainer", "fine_overusers(notice=0.5)"]
    assert spec.policies(spec.seats("share")[0]) == (Sustainer(),)


# seats


def agents(text: str, game: Any = None) -> list[Any]:
    game = game or Dilemma()
    return [seats.agent(seat, game) for seat in seats.read(text)]


def test_who_sits_there() -> None:
    policy, team, remote = agents("grim,vote(grim*2,random),http://host/play")
    assert isinstance(policy, PolicyAgent)
    assert isinstance(team, Vote)
    assert len(team.members) == 3
    assert isinstance(remote, Remote)
    assert remote.address == "http://host/play"


def test_a_team_of_teams() -> None:
    (team,) = agents('vote(vote(grim,random),"grim,tit_for_tat*2",grim+fine_overusers)')
    assert [type(member) for member in team.members] == [Vote, *[PolicyAgent] * 4]


def test_objects_beside_texts() -> None:
    found = seats.read([Cheat(), "sustainer*2", (Sustainer(), Cheat())])
    assert seats.write(found) == "cheat,sustainer*2,sustainer+cheat"


# what an error says: the value, the rule, the way out

GAME, SEATS = "game", "seats"
ERRORS = [
    (GAME, "comons", (), ["'comons'", "did you mean 'commons'", "commonage games"]),
    (GAME, "zzz", (), ["'zzz'", "commonage games"]),
    (GAME, "punish", (), ["no game 'punish': punish is a mechanism: --with punish"]),
    (GAME, "pavlov", (), ["no game 'pavlov': pavlov is a policy: --seats pavlov"]),
    (GAME, "fines.tml", (), ["no such file 'fines.tml'", "ends in .toml"]),
    (GAME, "commons", ("sustainer",), ["sustainer is a policy: --seats sustainer"]),
    (GAME, "commons", ("dilemma",), ["dilemma is a game: commonage play dilemma"]),
    (GAME, "commons", ("punish,talk(when=after)",), ["names 2 mechanisms", "--with punish --with talk(when=after)"]),
    (GAME, "commons", ("punish)",), ["I expected the end, found ')'"]),
    (GAME, "commons(seats=)", (), ["character 15", "a value", "')'"]),
    (GAME, "commons", ("punsh",), ["'punsh'", "did you mean 'punish'", "commonage mechanisms"]),
    (GAME, "commons", ("punish(fines=3)",), ["'fines'", "did you mean 'fine'", "cost=1, fine=3, most=1"]),
    (GAME, "commons(capcity=120)", (), ["'capcity'", "did you mean 'capacity'", "capacity=100"]),
    (GAME, "commons(zzz=1)", (), ["no parameter 'zzz'. It takes", "capacity=100"]),
    (GAME, "commons(game=1)", (), ["no parameter 'game'"]),
    (GAME, "commons(seats=2.5)", (), ["seats=2.5", "whole number", "default is 5"]),
    (GAME, "commons(seats=true)", (), ["seats=true", "whole number"]),
    (GAME, "commons(seats=0)", (), ["seats=0", "at least 1"]),
    (GAME, "commons(capacity=1e5)", (), ["capacity=100000", "whole number"]),
    (GAME, "commons(collapse=99999999999)", (), ["collapse=99999999999", "32 bits"]),
    (GAME, "commons(report=1)", (), ["report=1", "true or false"]),
    (GAME, "commons(skin=3)", (), ["skin=3", "word"]),
    (GAME, "commons(skin=forest)", (), ["'forest'", "fishery, pasture, pollution"]),
    (GAME, "commons(3,seats=4)", (), ["seats is given twice"]),
    (GAME, "commons(seats=3,seats=4)", (), ["'seats' is given twice"]),
    (GAME, "commons(1,2,3,4,5,6,7,8,9,10,11,12)", (), ["at most 11"]),
    (GAME, "dilemma(payoffs=[a,b,c,d])", (), ["payoffs=[a]", "numbers"]),
    (GAME, "dilemma(payoffs=[1,2])", (), ["payoffs", "reward, sucker, temptation, punishment"]),
    (GAME, "commons", ("noise(rate=2)",), ["rate=2", "between 0 and 1"]),
    (GAME, "commons", ("noise(rate=1e400)",), ["rate=inf", "number"]),
    (GAME, "commons", ("talk(signals=[f(1)])",), ["signals=[f(1)]", "words"]),
    (GAME, "nowhere.py", (), ["nowhere.py'", "path"]),
    (GAME, "commons(", (), ["'commons('", "character 9", "the end"]),
    (GAME, "commons)", (), ["character 8", "')'"]),
    (GAME, 'commons(skin="a\\q")', (), ['"a\\q"', "backslash"]),
    (SEATS, "grim,,grim", (), ["character 6", "a name"]),
    (SEATS, "", (), ["a name", "the end"]),
    (SEATS, "grim*0,grim", (), ["character 6", "1 to 1,000,000", "'0,grim'"]),
    (SEATS, "grim*99999999999", (), ["1 to 1,000,000"]),
    (SEATS, "grim*1.5", (), ["the end or ','", "'.5'"]),
    (SEATS, "grim,http://h/seat?a=1&b=2", (), ["in quotes: '\"http://h/seat?a=1&b=2\"'"]),
    (SEATS, "http://h/seat,grim=1", (), ["found '=1'"]),
    (SEATS, "cheat(wary=-5),grim", (), ["cheat(wary=-5): wary must be 0 or more"]),
    (SEATS, "tit_for_tatt,grim", (), ["'tit_for_tatt'", "did you mean 'tit_for_tat'", "commonage agents"]),
    (SEATS, "grim*3", (), ["dilemma has 2 places", "names 3 (grim*3)", "name 2"]),
    (SEATS, "sustainer,grim", (), ["sustainer plays commons, not dilemma"]),
    (SEATS, "grim+sustainer,grim", (), ["sustainer plays commons", "part for a mechanism"]),
    (SEATS, "fine_overusers,grim", (), ["fine_overusers plays punish, not dilemma"]),
    (SEATS, "vote(),grim", (), ["needs members", "vote(tit_for_tat,grim,random)"]),
    (SEATS, "vote(grim,sustainer),grim", (), ["sustainer plays commons, not dilemma"]),
    (SEATS, "human+fine_overusers,grim", (), ["only a policy takes parts", "human"]),
    (SEATS, "human(age=3),grim", (), ["human(age=3)", "'age'", "name"]),
    (SEATS, "constant(amount=x),grim", (), ["amount=x", "whole number"]),
    (SEATS, "python:no_such_module:f,grim", (), ["no_such_module", "python:file.py:function"]),
    (SEATS, "python:json:no_such_function,grim", (), ["no_such_function", "python:module:function"]),
    (SEATS, "python,grim", (), ["python takes a target, a function, not ''; write python:module:function or python:file.py:function"]),
    (SEATS, "python:mine.py,grim", (), ["not 'mine.py'", "write python:module:function"]),
    (SEATS, "python(3),grim", (), ["not '3'", "write python:module:function"]),
    (SEATS, "python:json:decoder,grim", (), ["'decoder' is <module", "no function", "json has ", "dump, dumps,"]),
    (SEATS, "ftp://host/play,grim", (), ["'ftp://host/play'", "commonage agents"]),
    (
        SEATS,
        "remote:ftp://host/play,grim",
        (),
        ["ftp://host/play: an address is http:// or https://, a host", "write http://127.0.0.1:8765/seat"],
    ),
    (SEATS, "http://,grim", (), ["http://: an address is http:// or https://, a host"]),
    (SEATS, "remote,grim", (), ["remote: an address is http:// or https://, a host"]),
    (SEATS, "http://host:99999/play,grim", (), ["http://host:99999/play: Port out of range 0-65535"]),
    (SEATS, "http://host:x/play,grim", (), ["http://host:x/play: Port could not be cast"]),
    (SEATS, "http://host:0/play,grim", (), ["http://host:0/play: an address is"]),
    (SEATS, "http://host/play(timeout=0),grim", (), ["http://host/play(timeout=0): timeout must be seconds, above 0; its default is 20"]),
    (SEATS, "http://host/play(timeout=-1),grim", (), ["timeout must be seconds, above 0"]),
    (SEATS, "http://host/play(timeout=soon),grim", (), ["timeout=soon", "timeout must be seconds, above 0"]),
    (SEATS, "unknown:scheme,grim", (), ["'unknown:scheme'", "commonage agents"]),
]


def seated(text: str) -> None:
    """As a study does it."""
    places = seats.read(text)
    seats.check(Dilemma(), places)
    for seat in places:
        seats.agent(seat, Dilemma())


@pytest.mark.parametrize(
    ("kind", "text", "around", "parts"), ERRORS, ids=[f"{row[1]} {' '.join(row[2])}".strip() or "nothing" for row in ERRORS]
)
def test_errors(kind: str, text: str, around: tuple[str, ...], parts: list[str]) -> None:
    with pytest.raises(SpecError) as raised:
        spec.game(text, around) if kind == GAME else seated(text)
    for part in parts:
        assert part in str(raised.value)


def test_set_of_an_unknown_parameter() -> None:
    with pytest.raises(
        SpecError,
        match=re.escape("--set capcity: no layer has a parameter 'capcity'; did you mean 'capacity'? They take: arrival, capacity,"),
    ):
        spec.game("commons", ["punish"], {"capcity": 3})
    with pytest.raises(SpecError, match=re.escape("--set fine: no layer has a parameter 'fine'. They take: ")):
        spec.game("commons", [], {"fine": 3})


@pytest.mark.parametrize(
    ("texts", "says"),
    [
        (["capacity="], "cannot read 'capacity=': at character 10 I expected a value, found the end"),
        (["capacity"], "--set capacity: write name=value, as in --set capacity=120"),
        (["rounds=2", "capacity=1 2"], "cannot read 'capacity=1 2': at character 12"),
        (["capacity=1", "capacity=2"], "--set capacity=2: capacity is given twice"),
    ],
)
def test_a_setting_is_refused_as_it_was_typed(texts: list[str], says: str) -> None:
    with pytest.raises(SpecError, match=re.escape(says)):
        spec.settings(texts)


def test_settings() -> None:
    assert spec.settings(["capacity=120,skin=pasture", "payoffs=[3,0,5,1]"]) == {
        "capacity": 120,
        "skin": "pasture",
        "payoffs": [3, 0, 5, 1],
    }


def test_an_address_is_quoted_only_where_it_has_to_be() -> None:
    with pytest.raises(SpecError) as raised:
        spec.seats("http://h/seat,grim=1")
    assert "quotes" not in str(raised.value)


def test_signals_are_printed_as_they_are_typed() -> None:
    tower = Talk(Commons(), signals=("\U0001f41f", "nein, nie"))
    assert spec.text(tower) == 'talk(signals=["\U0001f41f","nein, nie"])'
    assert spec.game(*spec.tower(tower)) == tower


def test_a_part_that_nobody_asks_is_idle() -> None:
    players = [spec.policies(seat) for seat in spec.seats("sustainer+fine_overusers*2,random+pledger")]
    assert [part.name for part in spec.idle(spec.game("commons", ["talk"]), players)] == ["fine_overusers"]
    assert spec.idle(spec.game("commons", ["talk", "punish"]), players) == []


def test_known_names_pass() -> None:
    seats_ = 'sustainer+fine_overusers*2,http://h/play,vote(grim,random),mine.py,"python:mine.py:f"'
    spec.known("commons(seats=3)", ["punish(fine=2)", "mine.py:Mine"], seats_)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("comons",), "no game 'comons'; did you mean 'commons'?"),
        (("commons", ["tolk"]), "no mechanism 'tolk'; did you mean 'talk'?"),
        (("commons", [], "sustainer*4,cheet"), "no agent 'cheet'; did you mean 'cheat'?"),
    ],
)
def test_unknown_names_are_refused_before_anything_is_imported(arguments: tuple[Any, ...], says: str) -> None:
    with pytest.raises(SpecError, match=re.escape(says)):
        spec.known(*arguments)
    refuse = f"try: spec.known(*{arguments!r})\nexcept Exception: print({{'jax', 'numpy'}} & set(sys.modules))"
    code = f"import sys\nfrom commonage import spec\n{refuse}"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "set()"


def test_a_mismatch_names_both_numbers_and_the_way_out() -> None:
    with pytest.raises(
        SpecError,
        match=re.escape("commons(capacity=50) has 5 places, the seat list names 6 (greedy*6); name 5, or set the places: commons(seats=6)"),
    ):
        seats.check(Commons(capacity=50), seats.read("greedy*6"))


def test_a_preset_in_place_of_a_game_says_how_to_have_it() -> None:
    with pytest.raises(SpecError, match=r"cleanup_synthesis is a preset, .* its game is cleanup\(map=cleanup_policy_synthesis"):
        spec.game("cleanup_synthesis(seats=5)")
