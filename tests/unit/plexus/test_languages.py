"""The guess of a text's language."""

import pytest

from plexus.dataset import languages


# The first article of the Universal Declaration of Human Rights.
@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("English", "All human beings are born free and equal in dignity and rights."),
        ("German", "Alle Menschen sind frei und gleich an Würde und Rechten geboren. Sie sind mit Vernunft begabt."),
        ("French", "Tous les êtres humains naissent libres et égaux en dignité et en droits."),
        ("Spanish", "Todos los seres humanos nacen libres e iguales en dignidad y derechos."),
        ("Italian", "Tutti gli esseri umani nascono liberi ed eguali in dignità e diritti."),
        ("Dutch", "Alle mensen worden vrij en gelijk in waardigheid en rechten geboren."),
        ("Russian", "Все люди рождаются свободными и равными в своем достоинстве и правах."),
        ("Japanese", "すべての人間は、生まれながらにして自由であり、かつ、尊厳と権利とについて平等である。"),
        ("Chinese", "人人生而自由,在尊严和权利上一律平等。"),
        ("Korean", "모든 인간은 태어날 때부터 자유로우며 그 존엄과 권리에 있어 동등하다."),
        ("Greek", "Όλοι οι άνθρωποι γεννιούνται ελεύθεροι και ίσοι στην αξιοπρέπεια και τα δικαιώματα."),
        ("unknown", "OK 12345 :-)"),
        ("English", "It's what the buyer's friends said: do as your heart says."),
        ("English", "Do no harm, as they say."),
        ("English", "Mail from ann@example.com: see https://example.com/do/com/como or www.example.com by noon."),
        ("German", "Was man so will, hat an Wert."),
    ],
)  # fmt: skip
def test_a_language_is_guessed(name: str, text: str) -> None:
    """A sentence of each language is known by its script or its frequent words; a text without words is not."""
    assert languages.guess(text) == name
