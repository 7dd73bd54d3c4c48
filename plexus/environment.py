"""Environment variables of the original worker: those with another name here, and those without effect."""

from __future__ import annotations

from collections.abc import MutableMapping

#: Name in the original → name here, which is the one that the provider's own client reads.
RENAMED = {
    "AZURE_API_KEY": "AZURE_OPENAI_API_KEY",
    "AZURE_API_BASE": "AZURE_OPENAI_ENDPOINT",
    "AZURE_API_VERSION": "OPENAI_API_VERSION",
}
WITHOUT_EFFECT = (
    "PLEXUS_API_URL",
    "PLEXUS_API_KEY",
    "PLEXUS_LANGGRAPH_CHECKPOINTER_POSTGRES_URI",
    "AMPLIFY_STORAGE_SCORERESULTATTACHMENTS_BUCKET_NAME",
    "AMPLIFY_STORAGE_REPORTBLOCKDETAILS_BUCKET_NAME",
    "FETCH_SCHEMA_FROM_TRANSPORT",
    "PLEXUS_FETCH_SCHEMA_FROM_TRANSPORT",
    "GQL_FETCH_SCHEMA_FROM_TRANSPORT",
    "LANGCHAIN_DEBUG",
    "LANGGRAPH_TIMEOUT",
    "MPLBACKEND",
    "MPLCONFIGDIR",
    "NLTK_DATA",
)


def adopt(environ: MutableMapping[str, str]) -> dict[str, str]:
    """Set the names that are read here from the original's; a name that is set already keeps its value.

    Returns what was adopted: the original's name → the name here.
    """
    adopted = {old: new for old, new in RENAMED.items() if environ.get(old) and not environ.get(new)}
    environ.update({new: environ[old] for old, new in adopted.items()})
    return adopted


def list_without_effect(environ: MutableMapping[str, str]) -> list[str]:
    """Return the original's variables that are set and that nothing here reads."""
    return [name for name in WITHOUT_EFFECT if environ.get(name)]
