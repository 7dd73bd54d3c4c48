# Layers and labels → the OCI image layout, and its check by Lambda's rules. The same bytes as nix/build.py makes.
{ system, source, revision }:
let
  built = import ./layers.nix { inherit system source; };
  inherit (built) assemble layers order;

  version = (builtins.fromTOML (builtins.readFile (source + "/pyproject.toml"))).project.version;
  locks = builtins.hashString "sha256"
    (builtins.readFile ./locks/image-debs.lock + builtins.readFile ./locks/image-wheels.lock);
  # In one folder: the listing, which names what differs, lies beside the lock.
  locked = builtins.path {
    path = ./locks; name = "locked";
    filter = name: type: builtins.elem (baseNameOf name) [ "layers.lock" "layers.files.xz" "budget.toml" ];
  };
in rec {
  inherit layers;
  image = assemble "image" ([
    "image" "--check" "--layers-lock" "${locked}/layers.lock" "--budget" "${locked}/budget.toml" "--output" (placeholder "out")
    "--revision" revision "--version" version "--locks" "sha256:${locks}"
  ] ++ map (name: layers.${name}) order);
  # Reads every blob of the layout to its end.
  lint = assemble "lint" [ "lint" "--report" (placeholder "out") image ];
}
