"""What a model costs: for the seat, in the user's file, on this machine, on our list; and that it is not known."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from abacus import Abacus

from commonage.errors import SpecError
from commonage.model import Reply
from commonage.models.prices import FREE, Price, Prices, here

THERE = "https://api.example/v1"


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def price(name: str, address: str = THERE, given: Any = None, file: str = "") -> Price | None:
    return Prices(file).of(Abacus(name, address), given)


def test_a_reply_of_a_million_tokens() -> None:
    reply = Reply("", tokens_in=1_000_000, tokens_out=500_000, tokens_cached=400_000)
    assert Price(3, 15).reply(reply) == 3 + 7.5
    assert Price(3, 15, 0.3).reply(reply) == pytest.approx(0.6 * 3 + 0.4 * 0.3 + 7.5)


def test_our_list_has_a_date_and_each_price_is_sound() -> None:
    prices = Prices()
    assert prices.date.startswith("20")
    assert len(prices.ours) > 20
    assert all(0 <= one.cached <= one.tokens_in <= one.tokens_out for one in prices.ours.values() if one.cached is not None)


def test_a_dated_version_costs_what_its_model_costs() -> None:
    assert price("openai/gpt-4o-mini-2024-07-18") == price("openai/gpt-4o-mini") == Price(0.15, 0.6, 0.075)
    assert price("anthropic/claude-haiku-4-5-20251001") == price("anthropic/claude-haiku-4-5")
    assert price("openai/gpt-4o-2024-05-13") == Price(5, 15)  # but for this one


def test_what_nobody_knows() -> None:
    assert price("openai/gpt-4o-audio") is None
    assert price("somebody/something") is None


@pytest.mark.parametrize("address", ["", "http://127.0.0.1:8000/v1", "http://localhost/v1", "http://[::1]:80/v1", "http://127.9.9.9/v1"])
def test_on_this_machine_it_is_free(address: str) -> None:
    assert here(address)
    assert price("openai/gpt-4o", address) == FREE
    assert price("openai/gpt-4o", address, [1, 2]) == Price(1, 2)


@pytest.mark.parametrize(
    "address", [THERE, "http://10.0.0.1/v1", "http://localhost.example.com", "http://127.0.0.1.example.com/", "http://128.0.0.1"]
)
def test_elsewhere_it_is_not(address: str) -> None:
    assert not here(address)


def test_the_users_prices_come_first(tmp_path: Path) -> None:
    (tmp_path / "prices.toml").write_text('"openai/gpt-4o" = [1, 2]\n"mine" = [0, 0]\n"local" = [5, 6, 1]\n')
    assert price("openai/gpt-4o") == Price(1, 2)
    assert price("mine") == FREE
    assert price("local", "http://127.0.0.1/v1") == Price(5, 6, 1)  # a price is given, so it is not free
    assert price("openai/gpt-4o", given=[7, 8, 0.5]) == Price(7, 8, 0.5)
    (tmp_path / "other.toml").write_text('"openai/gpt-4o" = [3, 4]\n')
    assert price("openai/gpt-4o", file="other.toml") == Price(3, 4)
    assert price("mine", file="other.toml") is None


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('"m" = 3', "prices.toml: 'm' = 3: write [in, out] or [in, out, cached in], money per million tokens, none below 0"),
        ('"m" = [1]', "prices.toml: 'm' = [1]: write"),
        ('"m" = [1, -2]', "prices.toml: 'm' = [1, -2]: write"),
        ('"m" = [1, true]', "prices.toml: 'm' = [1, True]: write"),
        ('"m" = [nan, 1]', "prices.toml: 'm' = [nan, 1]: write"),
        ("[models]\nm = [1, 2]", "prices.toml: 'models' = {'m': [1, 2]}: write"),
        ("m = ", "prices 'prices.toml': "),
    ],
)
def test_a_line_that_is_no_price(tmp_path: Path, text: str, says: str) -> None:
    (tmp_path / "prices.toml").write_text(text)
    with pytest.raises(SpecError) as raised:
        Prices()
    assert str(raised.value).startswith(says)


def test_a_file_that_is_not_there() -> None:
    with pytest.raises(SpecError, match=r"prices 'no\.toml': No such file"):
        Prices("no.toml")


@pytest.mark.parametrize("given", [3, [1], [1, 2, 3, 4], ["1", "2"], [-1, 2], [float("inf"), 1]])
def test_a_seat_that_is_given_no_price(given: Any) -> None:
    with pytest.raises(SpecError, match=r"price = .*: write \[in, out\]"):
        price("m", given=given)
