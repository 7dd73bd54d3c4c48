"""The playground in a browser: a text is scored, the card is linted while it is edited, and no policy is violated."""

from pathlib import Path

import pytest

from tests.e2e.chromium import browser
from tests.integration.plexus.test_playground import HANDOVER, running

SPOKEN = "Shall we do it? Yes, I agreee to that. It runs twelve months, by the way. <img src=x onerror=alert(1)>"
TYPED = "(() => {{ const e = document.getElementById('{}'); e.value = {}; e.dispatchEvent(new Event('input')); }})()"
TEXT_OF = "document.getElementById('{}').textContent"


@pytest.mark.parametrize("width", [1200, 400])
def test_a_text_is_scored_and_the_card_linted_as_it_is_edited(tmp_path: Path, width: int) -> None:
    """Value, path and edges are shown; a broken card lists its problem, which leads to its line; nothing complains."""
    with running(HANDOVER, tmp_path) as server, browser() as tab:
        tab.look(width, dark=width < 600)
        tab.open(server.address)
        tab.wait(f"{TEXT_OF.format('count')} === 'no problems'")
        assert tab.run("location.search") == ""
        tab.run(TYPED.format("text", repr(SPOKEN)))
        tab.run("document.getElementById('score').click()")
        tab.wait("document.querySelector('b.value') !== null")
        assert tab.run("document.querySelector('b.value').textContent") == "Too Late"
        passed = "[...document.querySelectorAll('li.passed > b')].map(node => node.textContent).join()"
        assert tab.run(passed) == "1. agreement,2. earlier,3. terms,4. missing"
        assert tab.run("document.querySelectorAll('#results img').length") == 0
        card = HANDOVER.read_text(encoding="utf-8").replace("class: LangGraphScore", "clas: LangGraphScore")
        tab.run(TYPED.format("card", repr(card)))
        tab.wait("document.querySelector('#problems .error') !== null")
        tab.run("document.querySelector('#problems .error').click()")
        line = "(e => e.value.slice(0, e.selectionStart).split('\\n').length)(document.getElementById('card'))"
        lines = card.splitlines()
        assert "clas: " in lines[tab.run(line) - 1] or "- name: Terms" in lines[tab.run(line) - 1]
        tab.run("document.getElementById('score').click()")
        tab.wait("document.querySelector('#results .error') !== null")
        assert tab.run("document.documentElement.scrollWidth <= window.innerWidth")
        assert tab.complaints == []
