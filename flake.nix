{
  description = "The Lambda image of Score Processor, from the inputs pinned in nix/locks; no nixpkgs, no flake inputs";

  outputs = { self }:
    let
      system = "x86_64-linux";
      # Outside git (`path:` flakes) the commit is in nix/REVISION, which `make nix` writes. Null if none is known, as in a
      # changed work tree: Nix before 2.15 cannot tell that from a folder without git.
      revision = self.rev or (if builtins.pathExists ./nix/REVISION then builtins.readFile ./nix/REVISION else null);
      build = import ./nix/image.nix { inherit system revision; source = ./.; };
      # The context is dropped because Nix 2.8 fails an assertion otherwise.
      app = name: description: {
        type = "app";
        program = builtins.unsafeDiscardStringContext "${self}/nix/${name}";
        meta = { inherit description; };
      };
    in {
      packages.${system} = { inherit (build) image; default = build.image; };
      legacyPackages.${system} = { inherit (build) layers; };
      formatter.${system} = build.formatter;
      # The build of the image fails unless each layer has its digest in nix/locks/layers.lock.
      checks.${system} = { inherit (build) corpus lint; digests = build.image; };
      apps.${system} = {
        default = app "run" "fetch the inputs, add them to the store, build the image, print its digest";
        inputs = app "run-inputs" "fetch the inputs and add them to the store";
        demo = app "run-demo" "run the demo in the checkout that it is started in";
      };
    };
}
