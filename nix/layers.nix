# One derivation per layer: { base, <wheel>…, small, sbom, plexus, handler }; `assemble`, which runs the assembler on the image's root, and `python`.
{ system, source }:
let
  inherit (builtins) attrNames groupBy listToAttrs mapAttrs path sort;
  inputs = import ./inputs.nix { locks = ./locks; };

  lib = "${inputs.root}/usr/lib/x86_64-linux-gnu";
  # Sources only: bytecode and pages for people must not move the key of a derivation.
  oci = path {
    path = ./oci; name = "oci";
    filter = name: type: baseNameOf name != "__pycache__" && (type == "directory" || builtins.match ".*\\.py" name != null);
  };
  licences = path { path = ./licences; name = "licences"; };
  # One of the project's own folders, inside a store path: the layer is named after the folder.
  folder = name: path {
    path = source;
    inherit name;
    filter = file: type:
      let inside = builtins.substring (builtins.stringLength (toString source) + 1) (-1) file; in
      baseNameOf file != "__pycache__" && builtins.match "${name}(/.*)?" inside != null;
  };

  # Run the Python of the image's root; `variables` are all of its environment but for two.
  python = name: variables: words: derivation ({
    inherit name system;
    builder = "${lib}/ld-linux-x86-64.so.2";
    args = [ "--library-path" lib "${inputs.root}/usr/bin/python3.11" "-S" "-s" "-B" "-P" "-X" "no_debug_ranges" ] ++ words;
    PYTHONHASHSEED = "0";
    PYTHONHOME = "${inputs.root}/usr";
  } // variables);
  assemble = name: words: python name { } ([ oci ] ++ words);
  layer = name: kind: words: assemble "layer-${name}" ([ "layer" kind "--output" (placeholder "out") ] ++ words);

  byName = sort (a: b: a.name < b.name);
  wheels = mapAttrs
    (name: members: layer name "wheels" ([ "--name" name "--licences" licences ] ++ map (wheel: wheel.file) (byName members)))
    (groupBy (wheel: wheel.layer) inputs.wheels);
in {
  inherit assemble python;
  layers = wheels // {
    base = layer "base" "base" [ inputs.root ];
    sbom = layer "sbom" "sbom" ([
      "--debs" ./locks/image-debs.lock "--wheels" ./locks/image-wheels.lock "--root" inputs.root
    ] ++ map (wheel: wheel.file) (byName inputs.wheels));
    plexus = layer "plexus" "app" [ "${folder "plexus"}/plexus" ];
    handler = layer "handler" "app" [ "${folder "handler"}/handler" ];
  };
  # The layers' order in the image: the least changed first.
  order = [ "base" ] ++ builtins.filter (name: name != "small") (attrNames wheels) ++ [ "small" "sbom" "plexus" "handler" ];
}
