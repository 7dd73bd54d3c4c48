"""Pair the scorecards of two folders."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import plexus
from plexus.card_files import find_cards
from plexus.exceptions import InvalidScorecard
from plexus.scorecard import Scorecard


@dataclass(frozen=True)
class PairedFolders:
    """The scorecards of two folders: the pairs with their names, the files without a partner, and those that fail.

    The name of a pair is that of NEW's scorecard, and its path where several have the same one. `broken` has the reason
    for each file that is no scorecard; it has no partner.
    """

    pairs: Mapping[str, tuple[Path, Path]]
    only_old: tuple[Path, ...]
    only_new: tuple[Path, ...]
    broken: Mapping[Path, str]


def pair_folders(old: Path, new: Path) -> PairedFolders:
    """Pair scorecards by their path below the folder, then by key, id and name, if only one on each side has it.

    Pairs are in the order of the old files. A card that cannot be loaded is in `broken` with its reason, and has no
    pair. A name that two pairs would share becomes the new file's path.
    """
    broken: dict[Path, str] = {}
    first, second = (_load(folder, broken) for folder in (old, new))
    identities: tuple[Callable[[Path, Path, Scorecard], str | None], ...] = (
        lambda folder, file, _: file.relative_to(folder).with_suffix("").as_posix(),
        lambda *each: each[2].key,
        lambda *each: each[2].id,
        lambda *each: each[2].name,
    )
    pairs: dict[Path, Path] = {}
    for identify in identities:
        sides = [
            _index({file: identify(folder, file, card) for file, card in cards.items() if file not in paired})
            for folder, cards, paired in ((old, first, pairs.keys()), (new, second, pairs.values()))
        ]
        pairs |= {file: sides[1][identity] for identity, file in sides[0].items() if identity in sides[1]}
    names = Counter(second[file].name for file in pairs.values())
    return PairedFolders(
        {
            second[file].name if names[second[file].name] == 1 else file.relative_to(new).as_posix(): (before, file)
            for before, file in sorted(pairs.items())
        },
        tuple(file for file in first if file not in pairs),
        tuple(file for file in second if file not in pairs.values()),
        broken,
    )


def _load(folder: Path, broken: dict[Path, str]) -> dict[Path, Scorecard]:
    cards: dict[Path, Scorecard] = {}
    for file in find_cards(folder):
        try:
            cards[file] = plexus.load_file(file)
        except InvalidScorecard as error:
            broken[file] = str(error)
    return cards


def _index(identities: Mapping[Path, str | None]) -> dict[str, Path]:
    """Return the file of each identity that one file alone has."""
    counts = Counter(identities.values())
    return {name: file for file, name in identities.items() if name is not None and counts[name] == 1}
