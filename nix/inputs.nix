# The pinned inputs, as store paths. `nix run .#inputs` puts them into the store; Nix then fetches nothing here, because the store has
# a path of that name and hash. Not derivations: a missing input fails the evaluation, in one line that names the command.
{ locks }:
let
  inherit (builtins) elemAt fetchTarball fetchurl filter head isString match readFile split substring;

  rows = pattern: lock:
    filter (row: row != null) (map (match pattern) (filter isString (split "\n" (readFile (locks + "/${lock}.lock")))));

  # Nix prints this address if an input is missing; it names the command to run first.
  url = name: "file:///missing-input/${name}/first:nix-run-.#inputs";
in {
  root = fetchTarball {
    name = "root";
    url = url "root";
    sha256 = head (head (rows "root ([0-9a-f]{64})" "image-debs"));
  };

  # [ { name, layer, file } ]
  wheels = map (row: let sha256 = elemAt row 1; name = "${elemAt row 0}-${substring 0 16 sha256}.whl"; in {
    name = elemAt row 0;
    layer = elemAt row 2;
    file = fetchurl { inherit name sha256; url = url name; };
  }) (rows "([a-z0-9-]+)==[^ ]+ --hash=sha256:([0-9a-f]{64})  # [0-9]+ ([a-z0-9-]+)" "image-wheels");
}
