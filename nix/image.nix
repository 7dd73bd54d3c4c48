# Layers and labels → the OCI image layout, and its lint. The same bytes as nix/build.py makes.
# `revision`: a commit, or null. The assembler then labels the image with the commit of a source archive, if `source` is
# one and its files are the commit's, or else by its content.
{ system, source, revision }:
let
  built = import ./layers.nix { inherit system source; };
  inherit (built) assemble layers order;

  version = (builtins.fromTOML (builtins.readFile (source + "/pyproject.toml"))).project.version;
  locks = builtins.hashString "sha256"
    (builtins.readFile ./locks/image-debs.lock + builtins.readFile ./locks/image-wheels.lock);
  archived = builtins.match "[0-9a-f]{40,64} [0-9a-f]+\n" (builtins.readFile ./commit.txt) != null;
  # In one folder, because the assembler looks for layers.files.xz, which names differences, beside the lock.
  locked = builtins.path {
    path = ./locks; name = "locked";
    filter = name: type: builtins.elem (baseNameOf name) [ "layers.lock" "layers.files.xz" "budget.toml" ];
  };
  tests = builtins.path {
    path = source; name = "tests";
    filter = file: _:
      let inside = builtins.substring (builtins.stringLength (toString source) + 1) (-1) file; in
      builtins.match "(nix|nix/oci|nix/oci/lint|tests|tests/unit|tests/images|tests/unit/oci)(/[^/]*\\.py)?" inside != null;
  };
  format = ''
    #!/bin/sh
    [ -x .venv/bin/ruff ] || { echo "fmt: got no .venv in $PWD. next: make venv" >&2; exit 1; }
    exec .venv/bin/ruff format "$@"
  '';
in rec {
  inherit layers;
  image = assemble "image" ([
    "image" "--check" "--layers-lock" "${locked}/layers.lock" "--budget" "${locked}/budget.toml" "--output" (placeholder "out")
    "--version" version "--locks" "sha256:${locks}"
  ] ++ (if revision != null then [ "--revision" revision ] else if archived then [ "--archive" "${source}" ] else [ ])
    ++ map (name: layers.${name}) order);
  # Reads every blob of the layout to its end.
  lint = assemble "lint" [ "lint" "--report" (placeholder "out") image ];
  # The linter on the images that it is measured on; fails if an answer is wrong.
  corpus = built.python "lint-corpus" { PYTHONPATH = tests; } [ "-m" "tests.images.page" image (placeholder "out") ];
  # `nix fmt`: the formatter of the environment that `make venv` makes, in its locked version.
  formatter = built.python "format" { inherit format; } [
    "-c" "import os; from pathlib import Path; p = Path(os.environ['out'], 'bin/format'); p.parent.mkdir(parents=True); p.write_text(os.environ['format']); p.chmod(0o755)"
  ];
}
