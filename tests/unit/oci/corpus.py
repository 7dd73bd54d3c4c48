"""Imports, and so registers, all broken images."""

from tests.unit.oci import broken_contents, broken_documents
from tests.unit.oci.broken import CORPUS, Spoil

__all__ = ["CORPUS", "Spoil", "broken_contents", "broken_documents"]
