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
in rec {
  inherit layers;
  image = assemble "image" ([
    "image" "--check" "--layers-lock" "${locked}/layers.lock" "--budget" "${locked}/budget.toml" "--output" (placeholder "out")
    "--version" version "--locks" "sha256:${locks}"
  ] ++ (if revision != null then [ "--revision" revision ] else if archived then [ "--archive" "${source}" ] else [ ])
    ++ map (name: layers.${name}) order);
  # Reads every blob of the layout to its end.
  lint = assemble "lint" [ "lint" "--report" (placeholder "out") image ];
}
