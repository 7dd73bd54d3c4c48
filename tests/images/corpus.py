"""All recipes of the corpus, by what they are about."""

from tests.images.documents import DOCUMENTS
from tests.images.handlers import BINDINGS, IMPORTS, PLACES
from tests.images.installed import FILES, MANAGERS
from tests.images.programs import EXTENSIONS, LANGUAGES, STARTERS
from tests.images.starts import AWS, ENVIRONMENTS, LAYERS, LIBRARIES, STARTS

GROUPS = {
    "How a module binds the handler": BINDINGS,
    "Where modules are": PLACES,
    "What modules import": IMPORTS,
    "Entry points and scripts": STARTS,
    "Virtual environments": ENVIRONMENTS,
    "AWS's base images": AWS,
    "Shared libraries": LIBRARIES,
    "How layers merge": LAYERS,
    "Package managers": MANAGERS,
    "Programs in front, and handlers in other forms": STARTERS,
    "Extensions": EXTENSIONS,
    "Other languages": LANGUAGES,
    "Files of other forms": FILES,
    "Manifests, configs and blobs": DOCUMENTS,
}
CORPUS = [recipe for group in GROUPS.values() for recipe in group]
