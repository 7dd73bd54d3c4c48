"""The entries of layers of wheels, of the root and of the project's own code."""

import importlib.util
from pathlib import Path

import pytest

from nix.oci.app import collect_app
from nix.oci.bytecode import compile_source
from nix.oci.command import split_digest
from nix.oci.contents import Contents, File, Link
from nix.oci.digest import digest_file
from nix.oci.exceptions import InputMismatch, OciError, PathConflict, UnsafePath
from nix.oci.lint.elf import parse
from nix.oci.nar import nar_hash
from nix.oci.paths import SITE
from nix.oci.root import collect_base
from nix.oci.wheels import collect_wheels
from tests.unit.oci.elves import elf
from tests.unit.oci.wheels import wheel

TAG = "cpython-311"


@pytest.fixture(autouse=True)
def as_in_the_image(monkeypatch: pytest.MonkeyPatch) -> None:
    """Name bytecode as the image's Python does, whichever Python runs the test."""
    monkeypatch.setattr("sys.implementation.cache_tag", TAG)


def test_an_expected_digest_is_split_from_its_path() -> None:
    """The text after the last `#sha256:` is the digest; any other # belongs to the path."""
    assert split_digest(f"/C#/cache/a.whl#sha256:{'0' * 64}") == (Path("/C#/cache/a.whl"), f"sha256:{'0' * 64}")
    assert split_digest("/C#/root") == (Path("/C#/root"), None)


def below_site(contents: Contents) -> list[str]:
    """Return the paths in site-packages."""
    return [path.removeprefix(SITE + "/") for path in contents.list_paths()]


def executable(contents: Contents, path: str) -> bool:
    """Return whether a file is executable in the layer."""
    entry = contents[path]
    assert isinstance(entry, File)
    return entry.executable


def test_files_that_no_function_reads_are_dropped(tmp_path: Path) -> None:
    """Modules, bytecode, metadata and licences are kept; tests, headers, stubs, scripts and RECORD are not."""
    dropped = ["tool/tests/test_a.py", "tool/a.pyi", "tool/b.h", "tool-1.data/scripts/run", "tool-1.data/headers/x.h"]
    path = wheel(tmp_path, "tool", {"tool/__init__.py": b"", "tool/data.json": b"{}", **dict.fromkeys(dropped, b"")})
    assert below_site(collect_wheels([(path, None)], None)) == [
        "tool-1.dist-info/METADATA",
        "tool-1.dist-info/licenses/LICENSE",
        "tool/__init__.py",
        f"tool/__pycache__/__init__.{TAG}.pyc",
        "tool/data.json",
    ]


def test_a_wheels_platform_folder_is_installed(tmp_path: Path) -> None:
    """Files in `*.data/platlib` are installed beside the other modules."""
    path = wheel(tmp_path, "tool", {"tool-1.data/platlib/tool/fast.so": b"\x7fELF"})
    assert "tool/fast.so" in below_site(collect_wheels([(path, None)], None))


def test_botocore_keeps_the_models_that_a_function_needs(tmp_path: Path) -> None:
    """Models of services that no function calls are dropped; botocore's own tables are kept."""
    kept, gone = "botocore/data/sqs/2012-11-05/service-2.json.gz", "botocore/data/ec2/2016-11-15/service-2.json.gz"
    path = wheel(tmp_path, "botocore", dict.fromkeys([kept, gone, "botocore/data/endpoints.json"], b""))
    paths = below_site(collect_wheels([(path, None)], None))
    assert {kept, "botocore/data/endpoints.json"} < set(paths)
    assert gone not in paths


def test_a_shared_object_is_stripped(tmp_path: Path) -> None:
    """Stripping removes sections and keeps everything that the dynamic loader reads."""
    library = elf(["libc.so.6"], soname="fast.so", requires=[("libc.so.6", "GLIBC_2.36")])
    path = wheel(tmp_path, "tool", {"tool/fast.cpython-311-x86_64-linux-gnu.so": library + bytes(5000)})
    entry = collect_wheels([(path, None)], None)[f"{SITE}/tool/fast.cpython-311-x86_64-linux-gnu.so"]
    assert isinstance(entry, File)
    data = entry.data.read()
    assert data == library
    assert parse(data) == parse(library)


def test_other_files_named_so_are_unchanged(tmp_path: Path) -> None:
    """A linker script or a truncated file named `.so` is unchanged."""
    for name, data in (("script", b"INPUT(libfast.so.1)\n"), ("cut", b"\x7fELF\x02\x01")):
        path = wheel(tmp_path, name, {f"{name}.so": data})
        entry = collect_wheels([(path, None)], None)[f"{SITE}/{name}.so"]
        assert isinstance(entry, File)
        assert entry.data.read() == data


def test_an_altered_wheel_is_refused(tmp_path: Path) -> None:
    """A changed wheel raises InputMismatch with the file and both digests."""
    path = wheel(tmp_path, "tool", {"tool.py": b""})
    promised = digest_file(path)
    path.write_bytes(path.read_bytes() + b"\0")
    with pytest.raises(InputMismatch, match=rf"(?s){path}.*expected {promised}.*got      {digest_file(path)}"):
        collect_wheels([(path, promised)], None)


def test_a_wheel_without_a_licence_needs_the_projects_text(tmp_path: Path) -> None:
    """A wheel without a licence gets the project's text; if there is none, the error says where to put it."""
    path = wheel(tmp_path, "tool", {"tool.py": b""}, licence=False)
    with pytest.raises(OciError, match=r"put it into nix/licences/tool\.txt"):
        collect_wheels([(path, None)], tmp_path)
    (tmp_path / "tool.txt").write_text("Do as you like.\n")
    assert "tool-1.dist-info/licenses/LICENSE" in below_site(collect_wheels([(path, None)], tmp_path))


def test_wheels_that_write_one_path_are_refused(tmp_path: Path) -> None:
    """Two wheels with one path raise PathConflict with both names."""
    pair = [(wheel(tmp_path, name, {"shared.py": b""}), None) for name in ("one", "two")]
    with pytest.raises(PathConflict, match=r"shared\.py:\n  one\n  two"):
        collect_wheels(pair, None)


def test_the_order_of_wheels_does_not_matter(tmp_path: Path) -> None:
    """The order of the arguments does not change the layer."""
    pair = [(wheel(tmp_path, name, {f"{name}.py": b""}), None) for name in ("one", "two")]
    forward, backward = collect_wheels(pair, None), collect_wheels(pair[::-1], None)
    assert forward.list_paths() == backward.list_paths()


def test_a_file_that_is_not_a_wheel_is_refused(tmp_path: Path) -> None:
    """A truncated wheel raises OciError with its name and the next step."""
    path = wheel(tmp_path, "tool", {"tool.py": b""})
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(OciError, match=r"(?s)not a wheel: .*tool\.whl.*fetch it again"):
        collect_wheels([(path, None)], None)


def test_the_app_has_tracked_files_only(tmp_path: Path) -> None:
    """An app layer has only the listed files, under the folder's name."""
    package = tmp_path / "handler"
    package.mkdir()
    for name in ("app.py", "notes.txt", "scratch.py"):
        (package / name).write_text("")
    contents = collect_app([package], ["handler/app.py", "handler/notes.txt", "handler/gone.py"])
    assert contents.list_paths() == [
        f"var/task/handler/__pycache__/app.{TAG}.pyc",
        "var/task/handler/app.py",
        "var/task/handler/notes.txt",
    ]


def test_the_app_without_git_has_all_files_but_bytecode(tmp_path: Path) -> None:
    """Without a list, an app layer has every file except bytecode."""
    package = tmp_path / "handler"
    (package / "__pycache__").mkdir(parents=True)
    (package / "__pycache__/app.cpython-312.pyc").write_text("")
    (package / "data.json").write_text("{}")
    assert collect_app([package], None).list_paths() == ["var/task/handler/data.json"]


def test_a_link_out_of_the_app_is_refused(tmp_path: Path) -> None:
    """A link out of the app's folder raises UnsafePath."""
    package = tmp_path / "handler"
    package.mkdir()
    (package / "link").symlink_to("/etc/passwd")
    with pytest.raises(UnsafePath, match="leads out of"):
        collect_app([package], None)


def test_the_executable_bit_comes_from_the_mode(tmp_path: Path) -> None:
    """The executable bit comes from the mode, even if root runs the build."""
    package = tmp_path / "handler"
    package.mkdir()
    for name, mode in (("plain", 0o600), ("run", 0o700)):
        (package / name).write_text("")
        (package / name).chmod(mode)
    contents = collect_app([package], None)
    assert not executable(contents, "var/task/handler/plain")
    assert executable(contents, "var/task/handler/run")


def test_bytecode_has_its_path_in_the_image() -> None:
    """Bytecode has the path in the image, for tracebacks, and is not checked against times."""
    data = compile_source(b"x = {'b', 'a'}\n", "/var/task/handler/app.py")
    assert data is not None
    assert b"/var/task/handler/app.py" in data
    assert data[:4] == importlib.util.MAGIC_NUMBER
    assert data[4:8] == b"\1\0\0\0"


def test_bytecode_does_not_depend_on_other_objects() -> None:
    """Bytecode is the same whatever other objects refer to its strings."""
    source = b"def f(event, context):\n    return ('event', 'context', event)\n"
    first = compile_source(source, "/a.py")
    kept = [compile(source, f"/{number}.py", "exec") for number in range(50)]
    assert compile_source(source, "/a.py") == first
    assert len(kept) == 50


def test_invalid_python_has_no_bytecode() -> None:
    """A file that is not valid Python has no bytecode, and is not an error."""
    assert compile_source(b"{% if x %}", "/a.py") is None


def small_root(target: Path) -> Path:
    """Return a small root with the files that the base layer needs."""
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
    """The base layer drops tools, keeps licences and the runtime, and has all certificates in one bundle."""
    contents = collect_base(small_root(tmp_path), None)
    assert "usr/share/doc/libc6/copyright" in contents
    assert "usr/bin/tar" not in contents
    assert "sbin" not in contents
    bundle = contents["etc/ssl/certs/ca-certificates.crt"]
    assert isinstance(bundle, File)
    assert bundle.data.read() == b"a\nb\n"
    assert contents["usr/lib/ssl/cert.pem"] == Link("/etc/ssl/certs/ca-certificates.crt")
    assert executable(contents, "usr/bin/python3.11")


def test_an_altered_root_is_refused(tmp_path: Path) -> None:
    """A changed root raises InputMismatch with both NAR hashes."""
    root = small_root(tmp_path)
    promised = nar_hash(root)
    (root / "usr/lib/os.py").write_text("import evil\n")
    with pytest.raises(InputMismatch, match=rf"(?s)expected sha256:{promised}.*got      sha256:{nar_hash(root)}"):
        collect_base(root, f"sha256:{promised}")
