{
  description = "The Lambda image of Score Processor, from the inputs that nix/locks pins; no nixpkgs, no flake inputs";

  outputs = { self }:
    let
      system = "x86_64-linux";
      # Outside git (`path:` flakes) the revision is what nix/REVISION says, if anything does.
      revision = self.rev or (self.dirtyRev or (
        if builtins.pathExists ./nix/REVISION then builtins.readFile ./nix/REVISION else "unknown"));
      build = import ./nix/image.nix { inherit system revision; source = ./.; };
      # Without the context: Nix 2.8 dies on an assertion otherwise.
      app = name: description: {
        type = "app";
        program = builtins.unsafeDiscardStringContext "${self}/nix/${name}";
        meta = { inherit description; };
      };
    in {
      packages.${system} = { inherit (build) image; default = build.image; };
      legacyPackages.${system} = { inherit (build) layers; };
      # The image itself ends in an error unless each layer has the digest that nix/locks/layers.lock names.
      checks.${system} = { inherit (build) lint; digests = build.image; };
      apps.${system} = {
        default = app "run" "fetch the inputs, add them to the store, build the image, print its digest";
        inputs = app "run-inputs" "fetch the inputs and add them to the store";
      };
    };
}
