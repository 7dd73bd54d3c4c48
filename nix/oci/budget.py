"""How big the image may be: ceilings for the whole, for each layer's blob and for each package's files.

The file (TOML, megabytes of 10^6 bytes) has the tables `total` with `compressed` and `unpacked`, `compressed` by layer,
`unpacked` by package, and `others` with one ceiling of each kind for what is not named: small and new things.
"""

import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from oci.exceptions import OciError
from oci.layer import LayerRecord, read_layer

MEGABYTE = 1_000_000
TABLES = ("total", "compressed", "unpacked", "others")
Ceilings = Mapping[str, Mapping[str, float]]


class OverBudget(OciError):
    """When the image, a layer or a package is bigger than its ceiling, or when the file of ceilings cannot be read."""


def check_budget(folders: Sequence[Path], file: Path) -> None:
    """Raise OverBudget that names everything above its ceiling, the worst first."""
    ceilings = read_budget(file)
    over = sorted(overruns([read_layer(folder) for folder in folders], ceilings), reverse=True)
    if over:
        lines = "".join(f"\n  {sentence}" for _, sentence in over)
        raise OverBudget(
            f"the image is over its budget:{lines}\n"
            f"  Leave out what grew, or raise the ceiling in nix/locks/{file.name}, where a reviewer sees it."
        )


def read_budget(path: Path) -> Ceilings:
    """The ceilings; OverBudget says what of the file cannot be read."""
    try:
        found: dict[str, dict[str, float]] = tomllib.loads(path.read_text(encoding="utf-8"))
    except ValueError as problem:
        raise OverBudget(f"{path.name}: {problem}") from problem
    wrong = [f"[{table}] is not there" for table in TABLES if not isinstance(found.get(table), dict)]
    wrong += [f"[{table}] is not known" for table in found if table not in TABLES]
    wrong += [f"[{table}] names no {kind}" for table in ("total", "others") for kind in missing(found.get(table))]
    if wrong:
        raise OverBudget(f"{path.name}: {'; '.join(wrong)}; expected the tables {', '.join(TABLES)}")
    return found


def missing(table: Mapping[str, float] | None) -> list[str]:
    """The kinds of size of which a table says nothing."""
    return [kind for kind in ("compressed", "unpacked") if kind not in (table or {})]


def overruns(layers: Sequence[LayerRecord], ceilings: Ceilings) -> Iterator[tuple[float, str]]:
    """(bytes above the ceiling, sentence) of whatever is too big."""
    for what, kind, size, ceiling in measured(layers, ceilings):
        if size > ceiling * MEGABYTE:
            more = size - ceiling * MEGABYTE
            sentence = f"{what}: {size / MEGABYTE:.3f} MB {kind}, at most {ceiling:g} MB ({more / MEGABYTE:.3f} more)"
            yield more, sentence


def measured(layers: Sequence[LayerRecord], ceilings: Ceilings) -> Iterator[tuple[str, str, int, float]]:
    """(what, kind of size, bytes, ceiling in megabytes) of everything that has a ceiling."""
    total, others = ceilings["total"], ceilings["others"]
    yield "all layers", "compressed", sum(layer.size for layer in layers), total["compressed"]
    yield "all layers", "unpacked", sum(layer.unpacked_size for layer in layers), total["unpacked"]
    for layer in layers:
        ceiling = ceilings["compressed"].get(layer.name, others["compressed"])
        yield f"the layer {layer.name}", "compressed", layer.size, ceiling
    for name, size in packages(layers).items():
        yield name, "unpacked", size, ceilings["unpacked"].get(name, others["unpacked"])


def packages(layers: Sequence[LayerRecord]) -> Counter[str]:
    """Bytes of the files of each package."""
    found: Counter[str] = Counter()
    for layer in layers:
        for name, share in layer.packages.items():
            found[name] += share.size
    return found
