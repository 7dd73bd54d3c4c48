"""The assembler: pinned inputs in, an OCI image layout out, as a pure function of its arguments.

It imports the standard library only, reads no network, clock, locale, user or environment, and runs under the Python
of the image's own root, so that neither the host's zlib nor its compiler can change a byte of the result. The linter in
`nix/oci/lint` is a package of its own.
"""
