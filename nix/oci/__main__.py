"""Command line of the assembler; see the package's docstring for what it promises.

The package may lie in a folder of any name (in the Nix store its hash comes first), so it is imported by location.
"""

import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

if __name__ == "__main__":
    here = Path(__file__).resolve().parent
    spec = spec_from_file_location("oci", here / "__init__.py", submodule_search_locations=[str(here)])
    assert spec is not None
    assert spec.loader is not None
    sys.modules["oci"] = module_from_spec(spec)
    spec.loader.exec_module(sys.modules["oci"])

    from oci.command import main

    sys.exit(main(sys.argv[1:]))
