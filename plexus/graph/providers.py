"""Which chat model answers: a provider's by LangChain's `init_chat_model`, or a cassette's."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from plexus.context import Context
from plexus.exceptions import ArtifactMissing, ScoringFailed
from plexus.graph.cassette import FILE_NAME, Cassette

REPLAY = "replay"
_DEFAULT_TEMPERATURE = 0.0
_DEFAULT_MAX_TOKENS = 500
#: Seconds that one call may take, whatever the deadline allows.
CALL_TIMEOUT = 60
_NAMES = {
    "bedrock": "bedrock_converse",
    "aws": "bedrock_converse",
    "azure": "azure_openai",
    "chatopenai": "openai",
    "azurechatopenai": "azure_openai",
    "chatanthropic": "anthropic",
    "chatbedrockconverse": "bedrock_converse",
    "bedrockchat": "bedrock_converse",
    "chatollama": "ollama",
}
_INSTALLED = ("anthropic", "azure_openai", "bedrock_converse", "ollama", "openai")
#: Providers as `provider` spells them, every name that they have in a scorecard, and the one that is told of each.
KNOWN = (*_INSTALLED, REPLAY)
NAMES = (*_NAMES, *KNOWN)
SHOWN = ("anthropic", "azure", "bedrock", "ollama", "openai", REPLAY)
_KEYS = {"openai": "OPENAI_API_KEY", "azure_openai": "AZURE_OPENAI_API_KEY", "anthropic": "ANTHROPIC_API_KEY"}


def provider(given: str) -> str:
    """The provider as LangChain spells it; one that is not known here stays as it is given."""
    folded = given.casefold().replace("-", "_")
    found = _NAMES.get(folded, folded)
    return found if found in KNOWN else given


@dataclass(frozen=True)
class Settings:
    """A node's model: its own keys before the score's before the defaults."""

    provider: str
    name: str
    region: str | None
    base_url: str | None
    temperature: float
    max_tokens: int

    @classmethod
    def of(cls, node: Any, score: Any) -> Settings:
        """Raises ScoringFailed when no model is named."""

        def chosen(key: str, default: Any = None) -> Any:
            values = (getattr(node, key), getattr(score, key), default)
            return next((value for value in values if value is not None), None)

        given, name = chosen("model_provider"), chosen("model_name")
        if given is None or name is None:
            raise ScoringFailed(f"the node {node.name!r} needs a model_provider and a model_name")
        return cls(
            provider(given),
            name,
            chosen("model_region"),
            chosen("base_url"),
            chosen("temperature", _DEFAULT_TEMPERATURE),
            chosen("max_tokens", _DEFAULT_MAX_TOKENS),
        )

    def instead(self, model: str) -> Settings:
        """The same settings with another model, given as `provider:name`."""
        given, _, name = model.partition(":")
        return replace(self, provider=provider(given), name=name)

    @property
    def model_id(self) -> str:
        """`provider:name`, as results and cassettes say it."""
        return f"{self.provider}:{self.name}"

    @property
    def parameters(self) -> dict[str, Any]:
        """What else decides the reply."""
        return {"temperature": float(self.temperature), "max_tokens": self.max_tokens}


def open_cassette(named: str | None, score: str, context: Context) -> Cassette:
    """The cassette that a score names: by digest in the artifact store, or by path beside the scorecard."""
    if named is None:
        raise ArtifactMissing(f"the score {score!r} names no cassette to replay; add `cassette: FILE`")
    if named.startswith("sha256:"):
        if context.artifacts is None:
            raise ArtifactMissing(f"the score {score!r} needs the artifact {named}, and no artifact store is given")
        return Cassette.read(context.artifacts.get(named) / FILE_NAME)
    path = Path(named)
    if not path.is_absolute():
        if context.folder is None:
            raise ArtifactMissing(
                f"the score {score!r} names the cassette {named!r} by path, which works beside the scorecard's file "
                "only; `plexus train --write` replaces it by a digest"
            )
        path = context.folder / path
    if not path.is_file():
        raise ArtifactMissing(f"the score {score!r} names the cassette {path}, which is not there")
    return Cassette.read(path)


def live(settings: Settings) -> Any:
    """A provider's chat model; retries are ours, so that they stay inside the deadline."""
    from langchain.chat_models import init_chat_model

    options: dict[str, Any] = {"temperature": settings.temperature, "max_tokens": settings.max_tokens}
    if settings.provider == "ollama":
        options["num_predict"] = options.pop("max_tokens")
        options["client_kwargs"] = {"timeout": CALL_TIMEOUT}
    else:
        options |= {"timeout": CALL_TIMEOUT, "max_retries": 0}
    if settings.region is not None:
        options["region_name"] = settings.region
    if settings.base_url is not None:
        options["base_url"] = settings.base_url
    try:
        return init_chat_model(settings.name, model_provider=settings.provider, **options)
    except ImportError as error:
        raise ScoringFailed(f"the provider {settings.provider!r} needs a package: {error.name or error}") from None
    except Exception as error:
        key = _KEYS.get(settings.provider)
        missing = f"; the environment has no {key}" if key is not None and not os.environ.get(key) else ""
        known = "" if settings.provider in _INSTALLED else f"; the providers here are {', '.join(_INSTALLED)}"
        told = f"{type(error).__name__}{missing}{known}"
        raise ScoringFailed(f"cannot make the model {settings.model_id}: {told}") from error
