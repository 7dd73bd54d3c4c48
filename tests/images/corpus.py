"""All recipes of the corpus, by what they are about."""

from tests.images.documents import DOCUMENTS
from tests.images.handlers import BINDINGS, IMPORTS, PLACES
from tests.images.installed import FILES, MANAGERS
from tests.images.programs import EXTENSIONS, LANGUAGES, STARTERS
from tests.images.starts import AWS, ENVIRONMENTS, LAYERS, LIBRARIES, STARTS
from tests.images.variables import SEARCHES, UNPACKING, UNUSED, VARIABLES, WRAPPERS

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
    "Variables and settings": VARIABLES,
    "Wrappers of AWS's images": WRAPPERS,
    "Search paths that modules change": SEARCHES,
    "Files that the start does not use": UNUSED,
    "Layers that cannot be unpacked": UNPACKING,
}
CORPUS = [recipe for group in GROUPS.values() for recipe in group]
