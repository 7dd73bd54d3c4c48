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
PARTICIPLES = {"edited", "embed", "encoded", "metered", "untraced"}
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


def test_numbers_are_nouns() -> None:
    """A constant number is named for what it counts or limits: MOST_ROWS, and not SHOWN."""
    wrong = [
        f"{path.relative_to(ROOT)}:{statement.lineno}: {name}"
        for package in PACKAGES
        for path in sorted((ROOT / package).rglob("*.py"))
        for statement in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(statement, ast.Assign) and isinstance(statement.value, ast.Constant)
        if isinstance(statement.value.value, int | float)
        for name in map(ast.unparse, statement.targets)
        if re.fullmatch(r"_*[a-z]{3,}ed", name.lower()) or IRREGULAR.fullmatch(name.lower())
        if name.lower() not in PARTICIPLES
    ]
    assert wrong == []


# What a public function's name begins with; a verb that is missing in the list is added there.
VERBS = set((ROOT / "tests/unit/verbs.txt").read_text(encoding="utf-8").split())
QUESTIONS = re.compile(
    "(are|accepts|acts|asks|binds|compares|contains|deploys|exists|has|holds"
    "|is|lacks|leads|looks|matches|may|names|needs|overruns|refers|requires|shares|was)"
)
RELATIONS = {"as", "from", "in", "of", "to", "with", "without"}
# Entry points that another program names, decorators, formulas that are known by their names, sort keys, and handlers.
VALUES = {
    *("command", "main", "lambda_handler", "root", "service", "moto_service", "before", "after"),
    *("labelled_data", "model_options", "variables_option", "engine_option", "verb"),
    *("kappa", "ac1", "macro_f1", "wilson", "p_value", "interval", "area", "curves", "sha256", "nar_hash", "encoded"),
    *("path_key", "layer_key", "parents", "resources", "schema_parameter", "counting_throttles", "publishing_ages"),
}
# Patches, by what they add to LocalStack, and the prices of expressions, which are combined into one expression.
CATALOGUES = ("local_aws/extension/internals.py", "plexus/language/prices.py", "plexus/language/operators.py")


def noun_functions(path: Path) -> list[str]:
    """List a module's public functions whose names begin with no verb.

    A context manager reads as an adjective; a command and a service of LocalStack have their own names.
    """
    return [
        f"{path.relative_to(ROOT).as_posix()}:{function.lineno}: {function.name}"
        for function in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(function, ast.FunctionDef) and not function.name.startswith("_")
        if (word := function.name.partition("_")[0]) not in VERBS | RELATIONS
        and not QUESTIONS.fullmatch(word)
        and function.name not in VALUES
        and not re.search(
            "contextmanager|command|aws_provider|verb", " ".join(map(ast.unparse, function.decorator_list))
        )
    ]


def test_public_functions_begin_with_a_verb() -> None:
    """A public function is named by what it does, not by what it returns: `find_mismatch`, not `mismatch`."""
    packages = ("handler", "local_aws", "nix", "plexus", "scripts", "stages")
    modules = [path for name in packages for path in sorted((ROOT / name).rglob("*.py"))]
    modules = [path for path in modules if path.relative_to(ROOT).as_posix() not in CATALOGUES]
    assert [name for path in modules for name in noun_functions(path)] == []


def test_variables_are_nouns() -> None:
    """No variable is called `found`, `said`, `each` or the like."""
    modules = [path for path in texts() if path.suffix == ".py"]
    assert [name for path in modules for name in vague_names(path)] == []
