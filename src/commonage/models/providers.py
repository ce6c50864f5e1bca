# pyright: strict
"""From a model's name to the model: who serves it, at which address, with the key from which environment variable.

`openai/gpt-x` is the provider's; `fake` and `pocket` are ours; any other name is the model at OPENAI_BASE_URL, with
OPENAI_API_KEY. Both are read from the environment, then from a file `.env` in the working directory.
"""

from __future__ import annotations

import difflib
import functools
import os
from collections.abc import Mapping
from typing import NamedTuple

from commonage.errors import SpecError
from commonage.model import Model

BASE, KEY = "OPENAI_BASE_URL", "OPENAI_API_KEY"


class Provider(NamedTuple):
    """Who serves models under a prefix."""

    address: str
    key_env: str = ""  # "": a server of one's own, which asks for no key
    renamed: Mapping[str, str] = {}  # settings that it calls otherwise


PROVIDERS: dict[str, Provider] = {
    "openai": Provider("https://api.openai.com/v1", KEY, {"max_tokens": "max_completion_tokens"}),
    "anthropic": Provider("https://api.anthropic.com/v1", "ANTHROPIC_API_KEY"),
    "cerebras": Provider("https://api.cerebras.ai/v1", "CEREBRAS_API_KEY"),
    "deepseek": Provider("https://api.deepseek.com/v1", "DEEPSEEK_API_KEY"),
    "fireworks": Provider("https://api.fireworks.ai/inference/v1", "FIREWORKS_API_KEY"),
    "google": Provider("https://generativelanguage.googleapis.com/v1beta/openai", "GEMINI_API_KEY"),
    "groq": Provider("https://api.groq.com/openai/v1", "GROQ_API_KEY"),
    "huggingface": Provider("https://router.huggingface.co/v1", "HF_TOKEN"),
    "mistral": Provider("https://api.mistral.ai/v1", "MISTRAL_API_KEY"),
    "openrouter": Provider("https://openrouter.ai/api/v1", "OPENROUTER_API_KEY"),
    "together": Provider("https://api.together.xyz/v1", "TOGETHER_API_KEY"),
    "xai": Provider("https://api.x.ai/v1", "XAI_API_KEY"),
    "llamacpp": Provider("http://127.0.0.1:8080/v1"),
    "lmstudio": Provider("http://127.0.0.1:1234/v1"),
    "ollama": Provider("http://127.0.0.1:11434/v1"),
    "vllm": Provider("http://127.0.0.1:8000/v1"),
}


def resolve(name: str, address: str = "", key_env: str = "", timeout: float | None = None) -> Model:
    """The model of a name; the same object for the same arguments, so that its seats share their connections.

    `address` is asked instead of the provider's. It gets a key only if `key_env` names one: no key goes where it was not
    meant to. Raises SpecError for a name that leads nowhere.
    """
    if name in ("fake", "pocket"):
        return _ours(name)
    provider, model = _place(name, address)
    key_env = key_env or provider.key_env
    key = setting(key_env) if key_env else ""
    lacks = f"no key for {name}: set {key_env} in the environment or in a file .env" if key_env and not key else ""
    return _endpoint(name, model, provider.address, key, timeout, tuple(provider.renamed.items()), lacks)


def _place(name: str, address: str) -> tuple[Provider, str]:
    """(who serves it, the name that goes there). A server of one's own is asked under its own names, at any address."""
    prefix, slash, model = name.partition("/")
    known = PROVIDERS.get(prefix) if slash and model else None
    if address:
        return Provider(address), model if known and not known.key_env else name
    base = setting(BASE)
    if known and not (prefix == "openai" and base):
        return known, model
    if not base:
        near = difflib.get_close_matches(prefix, PROVIDERS, n=1, cutoff=0.75) if slash and model else []
        hint = f"; did you mean '{near[0]}/{model}'? Write" if near else ": write"
        raise SpecError(
            f"no model {name!r}{hint} provider/model ({', '.join(PROVIDERS)}), or say where it is: {BASE} in the environment or in "
            'a file .env, or address="http://127.0.0.1:8000/v1" in its seat'
        )
    return Provider(base, KEY if setting(KEY) else ""), model if known else name


def setting(name: str) -> str:
    """A variable of the environment, or else of the file `.env` in the working directory; "" without."""
    return (os.environ.get(name) or _file().get(name) or "").strip()


def _file() -> dict[str, str | None]:
    if not os.path.exists(".env"):
        return {}
    from dotenv import dotenv_values

    return dotenv_values(".env")


@functools.cache
def _ours(name: str) -> Model:
    if name == "fake":
        from commonage.models.fake import Fake

        return Fake()
    from commonage.models.pocket import Pocket

    return Pocket()


@functools.lru_cache(maxsize=256)
def _endpoint(
    name: str, model: str, address: str, key: str, timeout: float | None, renamed: tuple[tuple[str, str], ...], lacks: str
) -> Model:
    from commonage.models.endpoint import Endpoint

    return Endpoint(name, model, address, key, timeout=timeout, renamed=dict(renamed), lacks=lacks)
