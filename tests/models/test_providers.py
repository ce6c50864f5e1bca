"""From a name to an endpoint: addresses, keys, `.env`. Under a second; nothing is sent but to a server on this machine."""

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest
from serving import serving

from commonage.errors import SpecError
from commonage.model import Message, Trouble
from commonage.models.endpoint import Endpoint
from commonage.models.fake import Fake
from commonage.models.prices import here
from commonage.models.providers import PROVIDERS, resolve

SECRET = "sk-planted-0123456789abcdef"


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """An empty working directory, and no word of any provider in the environment."""
    monkeypatch.chdir(tmp_path)
    for name in ("OPENAI_BASE_URL", *(provider.key_env for provider in PROVIDERS.values() if provider.key_env)):
        monkeypatch.delenv(name, raising=False)


def endpoint(name: str, **more) -> Endpoint:
    model = resolve(name, **more)
    assert isinstance(model, Endpoint)
    return model


def sent(model: Endpoint) -> tuple[str, str | None]:
    """(model, key) of a request that it makes to a server here."""
    with serving() as server:
        model.address = server.address
        asyncio.run(model.chat([Message("user", "Hello")]))
    _, headers, body = server.seen[0]
    return body["model"], headers.get("Authorization")


@pytest.mark.parametrize("prefix", PROVIDERS)
def test_every_provider_has_an_address_and_a_key_unless_it_is_here(prefix):
    model = endpoint(f"{prefix}/org/model-1")
    assert (model.name, model.model, model.address) == (f"{prefix}/org/model-1", "org/model-1", PROVIDERS[prefix].address)
    assert here(model.address) == (not PROVIDERS[prefix].key_env)
    assert here(model.address) or model.address.startswith("https://")


def test_the_key_comes_from_the_providers_own_variable(monkeypatch):
    monkeypatch.setenv("GROQ_API_KEY", SECRET)
    assert sent(endpoint("groq/llama")) == ("llama", f"Bearer {SECRET}")
    assert sent(endpoint("ollama/llama3")) == ("llama3", None)


def test_a_key_that_is_not_there_is_said_before_anything_is_sent():
    model = endpoint("mistral/small")
    assert "MISTRAL_API_KEY" in model.lacks
    with pytest.raises(Trouble, match="MISTRAL_API_KEY") as caught:
        sent(model)
    assert not caught.value.again


def test_any_other_name_is_the_model_at_openai_base_url(monkeypatch):
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:8123/v1/")
    assert endpoint("meta-llama/Llama-4").address == "http://127.0.0.1:8123/v1"
    assert sent(endpoint("meta-llama/Llama-4")) == ("meta-llama/Llama-4", None)
    monkeypatch.setenv("OPENAI_API_KEY", SECRET)
    assert sent(endpoint("my-model")) == ("my-model", f"Bearer {SECRET}")


def test_the_key_of_openai_base_url_does_not_go_to_openai(monkeypatch):
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:8123/v1")
    monkeypatch.setenv("OPENAI_API_KEY", SECRET)
    model = endpoint("openai/gpt-x")
    assert (model.address, model.model) == ("http://127.0.0.1:8123/v1", "gpt-x")


def test_a_file_in_the_working_directory_where_the_environment_says_nothing(monkeypatch):
    Path(".env").write_text(f"# mine\nOPENAI_BASE_URL=http://127.0.0.1:8123/v1\nexport OPENAI_API_KEY='{SECRET}'\n")
    assert sent(endpoint("other-model")) == ("other-model", f"Bearer {SECRET}")
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")
    assert endpoint("other-model").address == "http://127.0.0.1:9/v1"


def test_an_address_of_ones_own_gets_no_key_that_it_was_not_given(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", SECRET)
    monkeypatch.setenv("MINE", SECRET[::-1])
    address = "http://127.0.0.1:8123/v1"
    assert sent(endpoint("openai/gpt-oss-20b", address=address)) == ("openai/gpt-oss-20b", None)
    assert sent(endpoint("any", address=address, key_env="MINE")) == ("any", f"Bearer {SECRET[::-1]}")
    assert sent(endpoint("ollama/llama3:8b", address="http://10.0.0.9:11434/v1")) == ("llama3:8b", None)
    assert "NOT_SET" in endpoint("any", address=address, key_env="NOT_SET").lacks


def test_seats_of_one_model_share_it():
    assert resolve("ollama/llama3") is resolve("ollama/llama3")
    assert resolve("ollama/llama3") is not resolve("ollama/llama3", timeout=5)


def test_a_name_that_leads_nowhere_shows_the_way_out():
    with pytest.raises(SpecError, match=r"no model 'gpt-x'.*OPENAI_BASE_URL.*address="):
        resolve("gpt-x")
    with pytest.raises(SpecError, match="openai/"):
        resolve("openai/")
    with pytest.raises(SpecError, match=r"no model 'opnai/gpt-x'; did you mean 'openai/gpt-x'\? Write provider/model"):
        resolve("opnai/gpt-x")
    with pytest.raises(SpecError, match="no model 'meta-llama/x': write provider/model"):
        resolve("meta-llama/x")


def test_the_fake_is_ours():
    assert isinstance(resolve("fake"), Fake)


def test_listing_providers_imports_no_client():
    program = "import sys, commonage.models.providers; print(*(m for m in ('openai', 'aiohttp', 'jax', 'dotenv') if m in sys.modules))"
    assert subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout == "\n"
