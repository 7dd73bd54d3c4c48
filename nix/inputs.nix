# The pinned inputs as fixed-output derivations. Nix never runs their builder: `nix run .#inputs` puts them into the store.
{ system, locks }:
let
  inherit (builtins) concatMap elemAt filter head isString match readFile split substring;

  rows = pattern: lock:
    filter (row: row != null) (map (match pattern) (filter isString (split "\n" (readFile (locks + "/${lock}.lock")))));

  # The URL is what Nix prints when an input is not there: it names the input and the command to run.
  input = name: mode: sha256: derivation {
    inherit name system;
    builder = "builtin:fetchurl";
    url = "file:///missing-input/${name}/run-first/nix-run-inputs";
    outputHashAlgo = "sha256";
    outputHashMode = mode;
    outputHash = sha256;
    preferLocalBuild = true;
  };
in {
  root = input "root" "recursive" (head (head (rows "root ([0-9a-f]{64})" "image-debs")));

  # [ { name, layer, file } ]
  wheels = map (row: {
    name = elemAt row 0;
    layer = elemAt row 2;
    file = input "${elemAt row 0}-${substring 0 16 (elemAt row 1)}.whl" "flat" (elemAt row 1);
  }) (rows "([a-z0-9-]+)==[^ ]+ --hash=sha256:([0-9a-f]{64})  # [0-9]+ ([a-z0-9-]+)" "image-wheels");
}
