# One derivation for each layer: { base, <wheel>…, small, app }, and `assemble`, which runs the assembler on the image's root.
{ system, source }:
let
  inherit (builtins) attrNames groupBy listToAttrs mapAttrs path sort;
  inputs = import ./inputs.nix { locks = ./locks; };

  lib = "${inputs.root}/usr/lib/x86_64-linux-gnu";
  oci = path { path = ./oci; name = "oci"; filter = name: type: baseNameOf name != "__pycache__"; };
  licences = path { path = ./licences; name = "licences"; };
  app = path {
    path = source;
    name = "app";
    filter = name: type:
      let inside = builtins.substring (builtins.stringLength (toString source) + 1) (-1) name; in
      baseNameOf name != "__pycache__" && builtins.match "(handler|plexus)(/.*)?" inside != null;
  };

  assemble = name: words: derivation {
    inherit name system;
    builder = "${lib}/ld-linux-x86-64.so.2";
    args = [ "--library-path" lib "${inputs.root}/usr/bin/python3.11" "-S" "-s" "-B" "-P" oci ] ++ words;
    PYTHONHASHSEED = "0";
    PYTHONHOME = "${inputs.root}/usr";
  };
  layer = name: kind: words: assemble "layer-${name}" ([ "layer" kind "--output" (placeholder "out") ] ++ words);

  byName = sort (a: b: a.name < b.name);
  wheels = mapAttrs
    (name: members: layer name "wheels" ([ "--name" name "--licences" licences ] ++ map (wheel: wheel.file) (byName members)))
    (groupBy (wheel: wheel.layer) inputs.wheels);
in {
  inherit assemble;
  layers = wheels // {
    base = layer "base" "base" [ inputs.root ];
    app = layer "app" "app" [ "${app}/handler" "${app}/plexus" ];
  };
  # Their order in the image: what changes least comes first.
  order = [ "base" ] ++ builtins.filter (name: name != "small") (attrNames wheels) ++ [ "small" "app" ];
}
