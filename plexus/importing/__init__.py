"""Import scorecards in the original's form: translate them, keep a folder of them up to date, and report the rest."""

from plexus.importing.importer import VERDICTS, ImportedCard, import_card, import_cards, render

__all__ = ["VERDICTS", "ImportedCard", "import_card", "import_cards", "render"]
