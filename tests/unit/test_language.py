"""Words that this project's texts avoid: a reminder of how it is written, not the goal."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SUFFIXES = (".py", ".md", ".toml", ".nix")
AVOIDED = re.compile(r"\b(told|tells|whoever|of ours|by turns|speaks? of|anybody who|who comes)\b", re.IGNORECASE)
# Where one of them is a quotation, or English as anybody speaks it.
ALLOWED = {
    "plexus/graph/attributions.py",
    "plexus/processors/speaker_words.py",
    "tests/unit/plexus/model_replies.py",
    "tests/unit/plexus/test_keyword.py",
    "tests/unit/plexus/test_speakers.py",
    "tests/unit/plexus/transcripts.py",
    "tests/unit/test_language.py",
}


def texts() -> list[Path]:
    """List the project's own texts; licences, data and examples are quotations."""
    folders = ("bench", "docs", "handler", "infrastructure", "local_aws", "nix", "plexus", "scripts", "stages", "tests")
    results = [path for name in folders for path in sorted((ROOT / name).rglob("*")) if path.suffix in SUFFIXES]
    return [path for path in [*ROOT.glob("*.md"), *results] if str(path.relative_to(ROOT)) not in ALLOWED]


def test_texts_use_the_standard_verbs() -> None:
    """Programs report, list, print or raise; they do not tell, and nobody is a whoever."""
    hits = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()[:100]}"
        for path in texts()
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if AVOIDED.search(line)
    ]
    assert hits == []


# Participles and pronouns: a name says what the value is, not what was done to it.
VAGUE = {"told", "found", "made", "given", "seen", "shown", "joined", "described", "said", "one", "each", "mine"}


def vague_names(path: Path) -> list[str]:
    """List a module's variables with a vague name; those of comprehensions are brief, and fields are an interface."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    brief = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp, ast.Lambda)
    inner = {id(name) for part in ast.walk(tree) if isinstance(part, brief) for name in ast.walk(part)}
    owners = [owner for owner in ast.walk(tree) if isinstance(owner, ast.ClassDef)]
    fields = {
        id(name)
        for owner in owners
        for part in owner.body
        if isinstance(part, (ast.AnnAssign, ast.Assign))
        for name in ast.walk(part)
    }
    return [
        f"{path.relative_to(ROOT)}:{name.lineno}: {name.id}"
        for name in ast.walk(tree)
        if isinstance(name, ast.Name) and isinstance(name.ctx, ast.Store)
        if name.id in VAGUE and id(name) not in inner | fields
    ]


# Context managers read as adjectives: `with untraced():`. OCI's word for a digest after its algorithm is `encoded`.
PARTICIPLES = {"embed", "encoded", "metered", "untraced"}
IRREGULAR = re.compile(
    "_*(begun|bound|built|done|drawn|found|given|held|kept|known|left|made|said|seen|sent|shown|spent|taken|told|written)"
)
PACKAGES = ("bench", "handler", "infrastructure", "local_aws", "nix", "plexus", "scripts", "stages", "tests")


def participles(path: Path) -> list[str]:
    """List a module's functions that are named by a participle alone; properties and fixtures are values."""
    return [
        f"{path.relative_to(ROOT)}:{function.lineno}: {function.name}"
        for function in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(function, ast.FunctionDef)
        and (re.fullmatch(r"_*[a-z]{3,}ed", function.name) or IRREGULAR.fullmatch(function.name))
        and not re.search("property|fixture", " ".join(map(ast.unparse, function.decorator_list)))
        and function.name not in PARTICIPLES
    ]


def test_functions_are_verbs() -> None:
    """No function is called `rounded`, `_moved`, `written` or the like."""
    modules = [path for name in PACKAGES for path in sorted((ROOT / name).rglob("*.py"))]
    assert [name for path in modules for name in participles(path)] == []


def test_variables_are_nouns() -> None:
    """No variable is called `found`, `said`, `each` or the like."""
    modules = [path for path in texts() if path.suffix == ".py"]
    assert [name for path in modules for name in vague_names(path)] == []
