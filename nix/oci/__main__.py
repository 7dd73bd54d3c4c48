"""Start the assembler as `python3 FOLDER`, whatever the folder is called.

In the Nix store its name begins with a hash, so the package is imported by location under the name `oci`.
"""

import sys
from importlib import import_module
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

if __name__ == "__main__":
    here = Path(__file__).resolve().parent
    spec = spec_from_file_location("oci", here / "__init__.py", submodule_search_locations=[str(here)])
    assert spec is not None
    assert spec.loader is not None
    sys.modules["oci"] = module_from_spec(spec)
    spec.loader.exec_module(sys.modules["oci"])

    sys.exit(import_module("oci.command").main(sys.argv[1:]))
