"""The assembler's memory: the largest library of a wheel, and little more."""

import struct
import tracemalloc
import zipfile
from pathlib import Path

from nix.oci.layer import write_layer
from nix.oci.lint.scan import scan_blob
from nix.oci.wheels import collect_wheels
from tests.unit.oci.elves import elf

SIZE = 24 << 20


def create_library() -> bytes:
    """Return an ELF file whose first segment, after its 64 bytes of header, has SIZE more bytes."""
    data = bytearray(elf()) + bytes(SIZE)
    struct.pack_into("<QQ", data, 64 + 32, len(data), len(data))  # the segment's sizes in the file and in memory
    return bytes(data)


def test_a_layer_needs_three_times_its_largest_library(tmp_path: Path) -> None:
    """Unpacking, stripping, compressing and scanning a library need three times its size at most, and its buffers."""
    path = tmp_path / "big-1-py3-none-any.whl"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.writestr("big-1.dist-info/METADATA", "Name: big\nVersion: 1\n")
        archive.writestr("big-1.dist-info/licenses/LICENSE", "MIT\n")
        archive.writestr("big.libs/libbig.so", create_library())
    contents = collect_wheels([(path, None)], None)
    tracemalloc.start()
    try:
        write_layer("big", contents, tmp_path / "layer")
        with (tmp_path / "layer" / "blob").open("rb") as blob:
            scan = scan_blob(blob)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert next(entry.size for entry in scan.entries if entry.path.endswith("libbig.so")) > SIZE
    assert peak < 3 * SIZE
