"""All recipes of the corpus."""

from tests.images.documents import DOCUMENTS
from tests.images.handlers import BINDINGS, IMPORTS, PLACES
from tests.images.starts import AWS, ENVIRONMENTS, LAYERS, LIBRARIES, STARTS

CORPUS = [*BINDINGS, *PLACES, *IMPORTS, *STARTS, *ENVIRONMENTS, *AWS, *LIBRARIES, *LAYERS, *DOCUMENTS]
