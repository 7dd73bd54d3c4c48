"""Paths and links in pages, comments and docstrings lead somewhere, also after a file has moved."""

import ast
import io
import posixpath
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("bench", "handler", "infrastructure", "local_aws", "nix", "plexus", "scripts", "stages", "tests")
FOLDERS = (*PACKAGES, "docs", "examples")
PATH = re.compile(rf"(?<![\w/.~$={{}}<>-])(?:{'|'.join(FOLDERS)})/[\w./-]*\w(?:[-/]?[*…<{{])?")
LINK = re.compile(r"\]\((?P<page>[^)\s#]*)#?(?P<heading>[^)\s]*)\)")
FENCE = re.compile(r"^( *)```.*?^\1```$", re.MULTILINE | re.DOTALL)
# `stages/STAGE.toml`, `tests/e2e/test_local_aws_…`: a reader completes them.
PLACEHOLDER = re.compile(r"\b[A-Z]{4,}\b|[-/]?[*…<{]$")
# What is no file of this repository: a repository of images, and a stage and keys that a reader adds.
ABSENT = {"plexus/score-processor-lambda", "stages/keys", "stages/production-eu.toml"}


def files(*suffixes: str) -> list[Path]:
    """List the project's own files with one of these suffixes, those of the top folder included."""
    nested = [path for name in FOLDERS for path in sorted((ROOT / name).rglob("*")) if path.suffix in suffixes]
    return [*(path for path in sorted(ROOT.iterdir()) if path.suffix in suffixes or path.name in suffixes), *nested]


def prose(path: Path) -> Iterator[tuple[int, str]]:
    """Yield what people read in a file, by its line: a page whole, of code the comments and docstrings."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".md":
        yield from enumerate(text.splitlines(), 1)
    elif path.suffix == ".py":
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            if token.type == tokenize.COMMENT:
                yield token.start[0], token.string
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                yield getattr(node, "lineno", 1), ast.get_docstring(node) or ""
    else:
        yield from ((number, line) for number, line in enumerate(text.splitlines(), 1) if "#" in line)


def missing_paths(path: Path) -> list[str]:
    """List the paths of this repository that a file's prose names, and that do not exist."""
    return [
        f"{path.relative_to(ROOT).as_posix()}:{number}: {name}"
        for number, text in prose(path)
        for name in PATH.findall(text)
        if name not in ABSENT and not PLACEHOLDER.search(name) and not (ROOT / name).exists()
    ]


def headings(page: Path) -> set[str]:
    """Return the anchors of a page's headings, as GitHub and the site write them."""
    lines = re.findall(r"^#+ +(.*)$", FENCE.sub("", page.read_text(encoding="utf-8")), re.MULTILINE)
    texts = [re.sub(r"\[([^]]*)\]\([^)]*\)|`", r"\1", line) for line in lines]
    return {re.sub(r"[^\w\- ]", "", text.strip().lower()).replace(" ", "-") for text in texts}


def dead_links(page: Path) -> list[str]:
    """List a page's links whose file or heading does not exist."""
    text = re.sub(r"`[^`\n]*`", "", FENCE.sub("", page.read_text(encoding="utf-8")))
    dead = []
    for link in LINK.finditer(text):
        if "://" in link["page"]:
            continue
        name = posixpath.join(page.parent.as_posix(), link["page"]) if link["page"] else page.as_posix()
        target = Path(posixpath.normpath(name))
        if not target.exists() or (link["heading"] and link["heading"] not in headings(target)):
            dead.append(f"{page.relative_to(ROOT).as_posix()}: {link[0][2:-1]}")
    return dead


def test_paths_in_prose_exist() -> None:
    """A page, a comment or a docstring names no file of this repository that has moved or gone."""
    sources = files(".md", ".py", ".toml", ".nix", ".in", ".yml", "Makefile")
    assert [name for path in sources for name in missing_paths(path)] == []


def test_links_between_pages_lead_to_a_heading() -> None:
    """The links of every page lead to a file, those with an anchor to a heading, also outside of the site."""
    assert [link for page in files(".md") for link in dead_links(page)] == []
