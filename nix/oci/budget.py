"""The size budget: maximum sizes of the image, of each layer's blob and of each package's files.

The file (TOML, in MB of 10^6 bytes) has the tables `total` with `compressed` and `unpacked`, `compressed` by layer,
`unpacked` by package, and `others` with one maximum of each kind for everything not named.
"""

import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from .exceptions import OciError
from .layer import LayerRecord, read_layer

MEGABYTE = 1_000_000
TABLES = ("total", "compressed", "unpacked", "others")
Ceilings = Mapping[str, Mapping[str, float]]


class OverBudget(OciError):
    """Raised if the image, a layer or a package exceeds its maximum, or if the budget file is invalid."""


def check_budget(folders: Sequence[Path], file: Path) -> None:
    """Raise OverBudget with everything that exceeds its maximum in `file`, the largest excess first.

    `folders` are all layers of the image. A size equal to its maximum passes. Raises OverBudget as `read_budget` too.
    """
    ceilings = read_budget(file)
    over = sorted(overruns([read_layer(folder) for folder in folders], ceilings), reverse=True)
    if over:
        lines = "".join(f"\n  {sentence}" for _, sentence in over)
        raise OverBudget(
            f"the image is over its budget:{lines}\n"
            f"  next: leave out what grew, or raise the maximum in nix/locks/{file.name} for review"
        )


def read_budget(path: Path) -> Ceilings:
    """Read a budget file; raises OverBudget with every missing or unknown table."""
    try:
        budgets: dict[str, dict[str, float]] = tomllib.loads(path.read_text(encoding="utf-8"))
    except ValueError as problem:
        raise OverBudget(f"{path.name}: {problem}") from problem
    wrong = [f"[{table}] is missing" for table in TABLES if not isinstance(budgets.get(table), dict)]
    wrong += [f"[{table}] is unknown" for table in budgets if table not in TABLES]
    wrong += [
        f"[{table}] has no {kind}" for table in ("total", "others") for kind in list_missing_sizes(budgets.get(table))
    ]
    if wrong:
        raise OverBudget(f"{path.name}: {'; '.join(wrong)}; expected the tables {', '.join(TABLES)}")
    return budgets


def list_missing_sizes(table: Mapping[str, float] | None) -> list[str]:
    """Return the kinds of size that are missing from a table."""
    return [kind for kind in ("compressed", "unpacked") if kind not in (table or {})]


def overruns(layers: Sequence[LayerRecord], ceilings: Ceilings) -> Iterator[tuple[float, str]]:
    """Yield (excess in bytes, description) for everything above its maximum."""
    for name, kind, size, maximum in measure(layers, ceilings):
        if size > maximum * MEGABYTE:
            more = size - maximum * MEGABYTE
            got = f"got {size / MEGABYTE:.3f} MB {kind}"
            sentence = f"{name}: {got}, expected at most {maximum:g} MB (+{more / MEGABYTE:.3f})"
            yield more, sentence


def measure(layers: Sequence[LayerRecord], ceilings: Ceilings) -> Iterator[tuple[str, str, int, float]]:
    """Yield (name, kind of size, bytes, maximum in MB) for everything in the budget."""
    total, others = ceilings["total"], ceilings["others"]
    yield "all layers", "compressed", sum(layer.size for layer in layers), total["compressed"]
    yield "all layers", "unpacked", sum(layer.unpacked_size for layer in layers), total["unpacked"]
    for layer in layers:
        ceiling = ceilings["compressed"].get(layer.name, others["compressed"])
        yield f"the layer {layer.name}", "compressed", layer.size, ceiling
    for name, size in sum_packages(layers).items():
        yield name, "unpacked", size, ceilings["unpacked"].get(name, others["unpacked"])


def sum_packages(layers: Sequence[LayerRecord]) -> Counter[str]:
    """Sum the file sizes of each package over all layers, in bytes."""
    sizes: Counter[str] = Counter()
    for layer in layers:
        for name, share in layer.packages.items():
            sizes[name] += share.size
    return sizes
