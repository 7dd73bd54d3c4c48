"""Every rule of `plexus lint` in a sentence, with its severity: an error keeps a scorecard from loading."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Rule:
    """`severity` is "error" or "warning"; `says` is what must hold."""

    name: str
    severity: str
    says: str


RULES = (
    Rule("yaml", "error", "The file is YAML 1.2 of at most 1 MiB, with no key twice, no strange tag, no alias bomb."),
    Rule("schema", "error", "Keys, classes and values are those that docs/scorecards.md lists."),
    Rule("duplicate", "error", "Names, keys and ids of scores are unique."),
    Rule("dependency", "error", "`depends_on` names other scores of the card."),
    Rule("cycle", "error", "Scores do not depend on each other in a circle."),
    Rule("impossible-value", "error", "A condition or a test asks for a value that the score can give."),
    Rule("uncertain", "warning", "The value below `minimum_confidence` passes the score's own `validation`."),
    Rule("needs-disabled", "warning", "A score that runs needs no score that is disabled."),
    Rule("unused", "warning", "A disabled score is needed by another."),
    Rule("pattern", "error", "Patterns are regular expressions of RE2."),
    Rule("source", "error", "Templates and expressions can be read."),
    Rule("graph", "error", "Names of nodes are unique, and ways lead to nodes that exist, or to END."),
    Rule("no-model", "error", "A node that asks a model knows which, from itself or from its score."),
    Rule("provider", "error", "The provider of a model is not nearly one that is known."),
    Rule("strange-provider", "warning", "The provider of a model is known, or its package is installed."),
    Rule("unreachable-node", "error", "Some way through the graph leads to every node."),
    Rule("endless", "error", "From every node some way leads to the end."),
    Rule("impossible-class", "error", "A condition asks for a class that its node can return."),
    Rule("unreachable-condition", "error", "Earlier conditions leave a later one something to match."),
    Rule("undefined", "error", "What a template or an expression names is defined, by a node that can come before."),
    Rule("unknown-result", "error", "Results are read, and given in tests, only of scores that are in `depends_on`."),
    Rule("sometimes-undefined", "warning", "What a template or an expression names is defined on every way to it."),
    Rule("no-value", "error", "The score's `output`, or a way to the end, gives a `value`."),
    Rule("output-twice", "warning", "A way sets no alias that its node's own `output` sets."),
    Rule("near-miss", "warning", "A literal in an `output` is not nearly the name of a field."),
    Rule("missing-file", "error", "Labelled texts and cassettes are beside the scorecard (by `plexus lint` only)."),
    Rule("missing-artifact", "error", "Artifacts are in the store (by `plexus lint --store` only)."),
    Rule("untrained", "warning", "A trained score names a model, or the texts to train it on (by `plexus lint` only)."),
)
BY_NAME = {rule.name: rule for rule in RULES}
