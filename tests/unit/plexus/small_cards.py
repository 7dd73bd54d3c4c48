"""The smallest scorecards, in flow style, for tests of the linter."""

HEAD = "name: C\nkey: c\nscores:\n"
REPLAY = "class: LangGraphScore, model_provider: replay, model_name: m"
ASK = "class: Classifier, valid_classes: [A, B], user_message: '{{ text }}'"


def card(*scores: str) -> str:
    """Return a scorecard in flow style, one score a line; the first is on line 4."""
    return HEAD + "".join(f"  - {{{score}}}\n" for score in scores)


def graph(*nodes: str, more: str = "") -> str:
    """Return a scorecard with one graph, one node a line; the first is on line 5."""
    lines = "".join(f"      - {{{node}}}\n" for node in nodes)
    return (
        f"{HEAD}  - {{name: G, {REPLAY}{more}, graph: [\n"
        + lines.replace("      - ", "  ").replace("}\n", "},\n")
        + "  ]}\n"
    )
