"""What is taken from wheels, roots and the project's own folders."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

from oci.app import app_contents
from oci.bytecode import compiled
from oci.command import given
from oci.contents import Contents, File, Link
from oci.digest import of_file
from oci.elf import parse
from oci.exceptions import InputMismatch, OciError, PathConflict, UnsafePath
from oci.nar import nar_hash
from oci.places import SITE
from oci.root import base_contents
from oci.wheels import wheel_contents
from tests.unit.oci.elves import elf
from tests.unit.oci.wheels import wheel

TAG = "cpython-311"


@pytest.fixture(autouse=True)
def as_in_the_image(monkeypatch: pytest.MonkeyPatch) -> None:
    """Name bytecode as the image's Python does, whichever runs the test."""
    monkeypatch.setattr("sys.implementation.cache_tag", TAG)


def test_a_promised_digest_is_told_from_its_path() -> None:
    """What follows the last `#sha256:` is the digest; a folder's own # is part of the path."""
    assert given(f"/C#/cache/a.whl#sha256:{'0' * 64}") == (Path("/C#/cache/a.whl"), f"sha256:{'0' * 64}")
    assert given("/C#/root") == (Path("/C#/root"), None)


def below_site(contents: Contents) -> list[str]:
    """The paths in the site folder."""
    return [path.removeprefix(SITE + "/") for path in contents.paths()]


def executable(contents: Contents, path: str) -> bool:
    """Whether a file is executable in the layer."""
    entry = contents[path]
    assert isinstance(entry, File)
    return entry.executable


def test_a_wheel_leaves_behind_what_no_function_reads(tmp_path: Path) -> None:
    """Modules, their bytecode, metadata and licences stay; tests, headers, stubs, scripts and RECORD go."""
    dropped = ["tool/tests/test_a.py", "tool/a.pyi", "tool/b.h", "tool-1.data/scripts/run", "tool-1.data/headers/x.h"]
    path = wheel(tmp_path, "tool", {"tool/__init__.py": b"", "tool/data.json": b"{}", **dict.fromkeys(dropped, b"")})
    assert below_site(wheel_contents([(path, None)], None)) == [
        "tool-1.dist-info/METADATA",
        "tool-1.dist-info/licenses/LICENSE",
        "tool/__init__.py",
        f"tool/__pycache__/__init__.{TAG}.pyc",
        "tool/data.json",
    ]


def test_a_wheels_platform_folder_is_installed(tmp_path: Path) -> None:
    """`*.data/platlib` goes beside the other modules."""
    path = wheel(tmp_path, "tool", {"tool-1.data/platlib/tool/fast.so": b"\x7fELF"})
    assert "tool/fast.so" in below_site(wheel_contents([(path, None)], None))


def test_botocore_keeps_the_models_that_a_function_needs(tmp_path: Path) -> None:
    """Models of services that no function here calls go; botocore's own tables stay."""
    kept, gone = "botocore/data/sqs/2012-11-05/service-2.json.gz", "botocore/data/ec2/2016-11-15/service-2.json.gz"
    path = wheel(tmp_path, "botocore", dict.fromkeys([kept, gone, "botocore/data/endpoints.json"], b""))
    paths = below_site(wheel_contents([(path, None)], None))
    assert {kept, "botocore/data/endpoints.json"} < set(paths)
    assert gone not in paths


def test_a_shared_object_is_stripped(tmp_path: Path) -> None:
    """Sections go, and every fact that a loader reads is the same."""
    library = elf(["libc.so.6"], soname="fast.so", requires=[("libc.so.6", "GLIBC_2.36")])
    path = wheel(tmp_path, "tool", {"tool/fast.cpython-311-x86_64-linux-gnu.so": library + bytes(5000)})
    entry = wheel_contents([(path, None)], None)[f"{SITE}/tool/fast.cpython-311-x86_64-linux-gnu.so"]
    assert isinstance(entry, File)
    data = entry.data.read()
    assert data == library
    assert parse(data) == parse(library)


def test_what_only_looks_like_a_shared_object_is_left_alone(tmp_path: Path) -> None:
    """A linker script or a cut file named `.so` keeps its bytes."""
    for name, data in (("script", b"INPUT(libfast.so.1)\n"), ("cut", b"\x7fELF\x02\x01")):
        path = wheel(tmp_path, name, {f"{name}.so": data})
        entry = wheel_contents([(path, None)], None)[f"{SITE}/{name}.so"]
        assert isinstance(entry, File)
        assert entry.data.read() == data


def test_an_altered_wheel_is_refused(tmp_path: Path) -> None:
    """The error names the file and both digests."""
    path = wheel(tmp_path, "tool", {"tool.py": b""})
    promised = of_file(path)
    path.write_bytes(path.read_bytes() + b"\0")
    with pytest.raises(InputMismatch, match=rf"(?s){path}.*expected {promised}.*got      {of_file(path)}"):
        wheel_contents([(path, promised)], None)


def test_a_wheel_without_licence_needs_ours(tmp_path: Path) -> None:
    """A text of ours is put beside its metadata; without one the build says where to put it."""
    path = wheel(tmp_path, "tool", {"tool.py": b""}, licence=False)
    with pytest.raises(OciError, match=r"put it into nix/licences/tool\.txt"):
        wheel_contents([(path, None)], tmp_path)
    (tmp_path / "tool.txt").write_text("Do as you like.\n")
    assert "tool-1.dist-info/licenses/LICENSE" in below_site(wheel_contents([(path, None)], tmp_path))


def test_wheels_that_write_one_path_are_refused(tmp_path: Path) -> None:
    """Both distributions are named."""
    pair = [(wheel(tmp_path, name, {"shared.py": b""}), None) for name in ("one", "two")]
    with pytest.raises(PathConflict, match=r"shared\.py\n  one\n  two"):
        wheel_contents(pair, None)


def test_the_order_of_wheels_does_not_show(tmp_path: Path) -> None:
    """Wheels are taken by name, not in the order given."""
    pair = [(wheel(tmp_path, name, {f"{name}.py": b""}), None) for name in ("one", "two")]
    forward, backward = wheel_contents(pair, None), wheel_contents(pair[::-1], None)
    assert forward.paths() == backward.paths()


def test_a_file_that_is_no_wheel_is_said_to_be_none(tmp_path: Path) -> None:
    """A truncated wheel ends in its name and the next step."""
    path = wheel(tmp_path, "tool", {"tool.py": b""})
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(OciError, match=r"(?s)tool\.whl is no wheel.*fetch it again"):
        wheel_contents([(path, None)], None)


def test_the_app_is_what_git_tracks(tmp_path: Path) -> None:
    """Only the listed files are taken, under the folder's own name."""
    package = tmp_path / "handler"
    package.mkdir()
    for name in ("app.py", "notes.txt", "scratch.py"):
        (package / name).write_text("")
    contents = app_contents([package], ["handler/app.py", "handler/notes.txt", "handler/gone.py"])
    assert contents.paths() == [
        f"var/task/handler/__pycache__/app.{TAG}.pyc",
        "var/task/handler/app.py",
        "var/task/handler/notes.txt",
    ]


def test_the_app_without_git_is_all_but_bytecode(tmp_path: Path) -> None:
    """Without a list, every file counts except what Python itself left there."""
    package = tmp_path / "handler"
    (package / "__pycache__").mkdir(parents=True)
    (package / "__pycache__/app.cpython-312.pyc").write_text("")
    (package / "data.json").write_text("{}")
    assert app_contents([package], None).paths() == ["var/task/handler/data.json"]


def test_a_link_out_of_the_app_is_refused(tmp_path: Path) -> None:
    """The image would hold the link without its target."""
    package = tmp_path / "handler"
    package.mkdir()
    (package / "link").symlink_to("/etc/passwd")
    with pytest.raises(UnsafePath, match="leads out of"):
        app_contents([package], None)


def test_only_modes_say_what_is_executable(tmp_path: Path) -> None:
    """Root may execute anything; the layer asks the mode."""
    package = tmp_path / "handler"
    package.mkdir()
    for name, mode in (("plain", 0o600), ("run", 0o700)):
        (package / name).write_text("")
        (package / name).chmod(mode)
    contents = app_contents([package], None)
    assert not executable(contents, "var/task/handler/plain")
    assert executable(contents, "var/task/handler/run")


def test_bytecode_carries_its_path_in_the_image() -> None:
    """A traceback names the file of the image, and nothing is checked against times."""
    data = compiled(b"x = {'b', 'a'}\n", "/var/task/handler/app.py")
    assert data is not None
    assert b"/var/task/handler/app.py" in data
    assert data[:4] == importlib.util.MAGIC_NUMBER
    assert data[4:8] == b"\1\0\0\0"


def test_bytecode_does_not_depend_on_what_else_lives() -> None:
    """Strings that others refer to as well are written like any other."""
    source = b"def f(event, context):\n    return ('event', 'context', event)\n"
    first = compiled(source, "/a.py")
    kept = [compile(source, f"/{number}.py", "exec") for number in range(50)]
    assert compiled(source, "/a.py") == first
    assert len(kept) == 50


def test_what_does_not_compile_has_no_bytecode() -> None:
    """Templates that only look like modules are no error."""
    assert compiled(b"{% if x %}", "/a.py") is None


def small_root(target: Path) -> Path:
    """A root with what the base layer looks for."""
    for path in ("usr/bin/python3.11", "usr/lib/os.py", "usr/share/doc/libc6/copyright", "usr/bin/tar"):
        (target / path).parent.mkdir(parents=True, exist_ok=True)
        (target / path).write_text("")
    (target / "usr/bin/python3.11").chmod(0o755)
    certificates = target / "usr/share/ca-certificates/mozilla"
    certificates.mkdir(parents=True)
    for name in ("b", "a"):
        (certificates / f"{name}.crt").write_text(f"\n{name}\n")
    (target / "bin").symlink_to("usr/bin")
    (target / "sbin").symlink_to("usr/sbin")
    return target


def test_a_root_becomes_a_base_layer(tmp_path: Path) -> None:
    """Tools go, licences and the runtime stay, and the bundle is made of all certificates in order."""
    contents = base_contents(small_root(tmp_path), None)
    assert "usr/share/doc/libc6/copyright" in contents
    assert "usr/bin/tar" not in contents
    assert "sbin" not in contents
    bundle = contents["etc/ssl/certs/ca-certificates.crt"]
    assert isinstance(bundle, File)
    assert bundle.data.read() == b"a\nb\n"
    assert contents["usr/lib/ssl/cert.pem"] == Link("/etc/ssl/certs/ca-certificates.crt")
    assert executable(contents, "usr/bin/python3.11")


def test_an_altered_root_is_refused(tmp_path: Path) -> None:
    """The error gives both NAR hashes."""
    root = small_root(tmp_path)
    promised = nar_hash(root)
    (root / "usr/lib/os.py").write_text("import evil\n")
    with pytest.raises(InputMismatch, match=rf"(?s)expected sha256:{promised}.*got      sha256:{nar_hash(root)}"):
        base_contents(root, f"sha256:{promised}")


@pytest.mark.parametrize(("options", "status"), [((), 1), (("-X", "no_debug_ranges"), 0)])
def test_layers_are_made_without_columns_in_bytecode(tmp_path: Path, options: tuple[str, ...], status: int) -> None:
    """A layer's bytes must not depend on how the interpreter was started, so there is one way only."""
    package = tmp_path / "handler"
    package.mkdir()
    (package / "app.py").write_text("")
    oci = Path(__file__).resolve().parents[3] / "nix/oci"
    words = ("layer", "app", "--output", tmp_path / "out", package)
    command: list[str | Path] = [sys.executable, "-B", *options, oci, *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == status, done.stderr
    assert ("no_debug_ranges" in done.stderr) == bool(status)
