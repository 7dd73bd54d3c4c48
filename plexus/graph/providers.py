"""The chat model of a node: a provider's, created by LangChain's `init_chat_model`, or a cassette."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from plexus.configuration.common import PARAMETERS
from plexus.context import Context
from plexus.exceptions import ArtifactMissing, ScoringFailed
from plexus.graph.cassette import FILE_NAME, Cassette
from plexus.graph.provider_errors import watch_bodies
from plexus.prices import Price

if TYPE_CHECKING:
    from langchain_core.language_models.chat_models import BaseChatModel

    from plexus.configuration.graph import LangGraphScore, ModelNode

REPLAY = "replay"
#: Seconds that one call may take, even if the deadline allows more.
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
    "vertexai": "google_vertexai",
    "chatvertexai": "google_vertexai",
}
_INSTALLED = ("anthropic", "azure_openai", "bedrock_converse", "ollama", "openai")
#: Providers as `normalize_provider` spells them, every spelling that a scorecard may use, and those that errors list.
KNOWN = (*_INSTALLED, REPLAY)
NAMES = (*_NAMES, *KNOWN)
PREFERRED = ("anthropic", "azure", "bedrock", "ollama", "openai", REPLAY)
#: Provider whose client cannot be installed beside the tested versions → what works instead.
INSTEAD = {
    "google_vertexai": "Vertex AI speaks OpenAI's protocol: `model_provider: openai`, `model_name: google/…` and "
    "`base_url: https://LOCATION-aiplatform.googleapis.com/v1/projects/PROJECT/locations/LOCATION/endpoints/openapi`"
}
_ALL = {name: name for name in PARAMETERS}
_COMMON = {name: name for name in ("temperature", "max_tokens", "top_p", "reasoning_effort")}
#: Parameter → the name that the provider's client gives it, for the clients that are installed with the library.
_CLIENT_NAMES: dict[str, dict[str, str]] = {
    "openai": _ALL,
    "azure_openai": _ALL,
    "anthropic": _COMMON,
    "bedrock_converse": _COMMON,
    "ollama": {
        "temperature": "temperature",
        "max_tokens": "num_predict",
        "top_p": "top_p",
        "seed": "seed",
        "reasoning_effort": "reasoning",
    },
}
#: Provider → the variables that its client reads; any one of those in a tuple is enough.
_VARIABLES = {
    "openai": (("OPENAI_API_KEY",),),
    "azure_openai": (
        ("AZURE_OPENAI_API_KEY", "AZURE_OPENAI_AD_TOKEN"),
        ("AZURE_OPENAI_ENDPOINT",),
        ("OPENAI_API_VERSION",),
    ),
    "anthropic": (("ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN"),),
    "bedrock_converse": (("AWS_REGION", "AWS_DEFAULT_REGION"),),
}
Value = TypeVar("Value")


def normalize_provider(name: str) -> str:
    """Return the provider's name as LangChain spells it; an unknown name is returned unchanged."""
    folded = name.casefold().replace("-", "_")
    spelling = _NAMES.get(folded, folded)
    return spelling if spelling in KNOWN or folded in _NAMES else name


@dataclass(frozen=True)
class Settings:
    """The model of a node: the node's own keys, else the score's.

    `written` holds the parameters of the request as (name, value) pairs in the order of PARAMETERS: those that are
    written, and no others. `price` replaces the price of the library's table.
    """

    provider: str
    name: str
    region: str | None = None
    base_url: str | None = None
    written: tuple[tuple[str, float | int | str], ...] = ()
    price: Price | None = None

    @classmethod
    def of(cls, node: ModelNode, score: LangGraphScore) -> Settings:
        """Resolve a node's settings. Raises ScoringFailed if neither node nor score names a model."""
        provider = _choose(node.model_provider, score.model_provider)
        name = _choose(node.model_name, score.model_name)
        if provider is None or name is None:
            raise ScoringFailed(f"the node {node.name!r} needs a model_provider and a model_name")
        parameters = {**score.list_parameters(), **node.list_parameters()}
        price = _choose(node.price, score.price)
        return cls(
            normalize_provider(provider),
            name,
            _choose(node.model_region, score.model_region),
            _choose(node.base_url, score.base_url),
            tuple((key, value) for key in PARAMETERS if (value := parameters.get(key)) is not None),
            None if price is None else Price.of_rates(price.model_dump()),
        )

    def with_model(self, model: str) -> Settings:
        """Return the same settings with another model, named as `provider:name`."""
        provider, _, name = model.partition(":")
        return replace(self, provider=normalize_provider(provider), name=name)

    @property
    def model_id(self) -> str:
        """`provider:name`, as in results and cassettes."""
        return f"{self.provider}:{self.name}"

    @property
    def parameters(self) -> dict[str, object]:
        """The parameters that decide the reply, as in cassettes."""
        return {name: float(value) if name in ("temperature", "top_p") else value for name, value in self.written}

    @property
    def max_tokens(self) -> int | None:
        """The most output tokens, None if the request does not limit them."""
        limit = dict(self.written).get("max_tokens")
        return limit if isinstance(limit, int) else None


def find_unknown_parameters(provider: str, names: Iterable[str]) -> list[str]:
    """Return the parameters that a provider's API does not have; none for a provider that is not known here."""
    known = _CLIENT_NAMES.get(provider)
    return [] if known is None else [name for name in names if name not in known]


def _choose(node_value: Value | None, score_value: Value | None) -> Value | None:
    return score_value if node_value is None else node_value


def open_cassette(name: str | None, score: str, context: Context) -> Cassette:
    """Open a score's cassette: by digest from the artifact store, or by path relative to the context's folder.

    Raises ArtifactMissing if it is not named or not found, and InvalidArtifact if it is not a cassette.
    """
    if name is None:
        raise ArtifactMissing(f"the score {score!r} has no cassette to replay. next: add `cassette: FILE`")
    if name.startswith("sha256:"):
        if context.artifacts is None:
            raise ArtifactMissing(f"the score {score!r} needs the artifact {name}, but there is no artifact store")
        return Cassette.read(context.artifacts.get(name) / FILE_NAME)
    path = Path(name)
    if not path.is_absolute():
        if context.folder is None:
            raise ArtifactMissing(
                f"the score {score!r} names the cassette {name!r} by path, which works for a scorecard file only. "
                "next: plexus train --write FILE replaces the path by a digest"
            )
        path = context.folder / path
    if not path.is_file():
        raise ArtifactMissing(f"the cassette of the score {score!r} does not exist: {path}")
    return Cassette.read(path)


def create_model(settings: Settings) -> BaseChatModel:
    """Create a provider's chat model, with retries turned off: the caller retries within the deadline.

    Raises ScoringFailed if the provider's package or its key is missing, or its settings are rejected.
    """
    from langchain.chat_models import init_chat_model

    unknown = find_unknown_parameters(settings.provider, settings.parameters)
    if unknown:
        listed = ", ".join(f"`{name}`" for name in unknown)
        raise ScoringFailed(f"{settings.provider} has no parameter {listed}. next: remove it from the scorecard")
    options = _list_options(settings)
    try:
        model: BaseChatModel = init_chat_model(settings.name, model_provider=settings.provider, **options)
    except ImportError as error:
        package = error.name or error
        remedy = f". next: {INSTEAD[settings.provider]}" if settings.provider in INSTEAD else ""
        message = f"the provider {settings.provider!r} needs a package that is missing: {package}{remedy}"
        raise ScoringFailed(message) from None
    except Exception as error:
        # The clients report a missing key with exceptions of many kinds, whose messages may quote settings.
        _require_variables(settings)
        known = "" if settings.provider in _INSTALLED else f"; known providers: {', '.join(_INSTALLED)}"
        why = f"{type(error).__name__}{known}"
        raise ScoringFailed(f"cannot create the model {settings.model_id}: {why}") from error
    if settings.provider == "anthropic" and not (settings.base_url or os.environ.get("ANTHROPIC_BASE_URL")):
        _require_variables(settings)  # its client would send an empty key with every text
    if settings.provider in ("anthropic", "azure_openai", "openai"):
        watch_bodies(model)
    return model


def _require_variables(settings: Settings) -> None:
    """Raise ScoringFailed for the provider's variables that are not set and that the scorecard does not replace."""
    written = {"AZURE_OPENAI_ENDPOINT": settings.base_url, "AWS_REGION": settings.region}
    missing = [
        names[0]
        for names in _VARIABLES.get(settings.provider, ())
        if not any(map(os.environ.get, names)) and not written.get(names[0])
    ]
    if missing:
        what = f"{' and '.join(missing)} {'are' if len(missing) > 1 else 'is'} not set"
        remedy = f"next: export {' '.join(f'{name}=…' for name in missing)}"
        raise ScoringFailed(f"cannot create the model {settings.model_id}: {what}. {remedy}") from None


def _list_options(settings: Settings) -> dict[str, Any]:
    """Return the arguments of the provider's client."""
    names = _CLIENT_NAMES.get(settings.provider, {})
    options: dict[str, Any] = {names.get(name, name): value for name, value in settings.parameters.items()}
    # Ollama's client has no retries to turn off, and a switch for reasoning beside its levels.
    if settings.provider == "ollama":
        options["client_kwargs"] = {"timeout": CALL_TIMEOUT}
        if "reasoning" in options:
            options["reasoning"] = {"none": False, "true": True}.get(str(options["reasoning"]), options["reasoning"])
    else:
        options |= {"timeout": CALL_TIMEOUT, "max_retries": 0}
    if settings.region is not None and settings.provider == "bedrock_converse":  # no other client has the argument
        options["region_name"] = settings.region
    if settings.provider == "azure_openai":
        options["azure_deployment"] = settings.name
    if settings.base_url is not None:
        options["azure_endpoint" if settings.provider == "azure_openai" else "base_url"] = settings.base_url
    return options
