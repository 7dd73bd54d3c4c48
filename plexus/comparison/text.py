"""Print a comparison as tables on a terminal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from decimal import Decimal

from plexus.comparison.answers import Answer
from plexus.comparison.differences import KINDS, Agreement, Difference
from plexus.comparison.prompts import PROMPT_KINDS, PromptAgreement
from plexus.evaluation.agreement import kappa
from plexus.evaluation.formats import format_range, format_share, shorten
from plexus.evaluation.tables import render_grid
from plexus.problems import pluralize

_LONGEST = 60
_MOST_CHANGES = 5
_MOST_LINES = 40  # of the first different prompt


def render(agreements: Sequence[Agreement], limit: int) -> str:
    """Return figures, the most frequent changes of values, failures, costs, and the first `limit` differences.

    The text ends with a newline. `limit` 0 leaves the differences out.
    """
    parts = [_render_figures(agreements)]
    for agreement in agreements:
        parts += filter(None, [_render_changes(agreement), _render_reasons(agreement), _render_costs(agreement)])
    differences = [difference for agreement in agreements for difference in agreement.listed]
    if differences and limit:
        parts.append(_render_differences(differences, limit))
    return "\n\n".join(parts) + "\n"


def render_prompts(agreements: Sequence[PromptAgreement]) -> str:
    """Return the figures of each node's prompts, the different parameters, and each score's first different prompt.

    Empty if there are none of these.
    """
    rows = [
        [agreement.score, node, str(counts.total()), *(str(counts[kind]) for kind in PROMPT_KINDS)]
        for agreement in agreements
        for node, counts in agreement.nodes.items()
    ]
    parts = [render_grid(["prompts of", "node", "rows", *PROMPT_KINDS], rows, left=2)] if rows else []
    parameters = [
        [agreement.score, each.node, each.parameter, *(_format_parameter(side) for side in (each.old, each.new))]
        for agreement in agreements
        for each in agreement.parameters
    ]
    if parameters:
        parts.append(render_grid(["parameters of", "node", "parameter", "OLD", "NEW"], parameters, left=5))
    if not parts:
        return ""
    parts += [_render_prompt(agreement) for agreement in agreements if agreement.first]
    return "\n\n".join(parts) + "\n"


def _format_parameter(value: object) -> str:
    return "not sent" if value is None else str(value)


def _render_prompt(agreement: PromptAgreement) -> str:
    rest = len(agreement.first) - _MOST_LINES
    lines = [f"{shorten(agreement.score, _LONGEST)}, the first different prompt"]
    lines += map(_make_printable, agreement.first[:_MOST_LINES])
    return "\n".join(lines + ([f"and {pluralize(rest, 'more line')}; next: --json"] if rest > 0 else []))


def _make_printable(line: str) -> str:
    """Return a line of a diff as a terminal may print it: prompts have the texts in them."""
    printable = "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in line)
    # Spaces at the end are part of a difference, and noise in a line that both have.
    return printable.rstrip() if line.startswith(" ") else printable


def _render_figures(agreements: Sequence[Agreement]) -> str:
    head = ["score", "compared", "same", "share", "95 %", "kappa", *KINDS, "explanation"]
    rows = []
    for agreement in agreements:
        kinds = agreement.kinds
        figures = [
            agreement.compared,
            agreement.same,
            format_share(agreement.share),
            format_range(agreement.interval),
            format_share(kappa(agreement.table)),
        ]
        rows.append(
            [agreement.score, *map(str, figures), *(str(kinds[kind]) for kind in KINDS), str(agreement.explanations)]
        )
    return render_grid(head, rows)


def _render_changes(agreement: Agreement) -> str:
    confused = agreement.table.confused
    lines = [
        f"  {shorten(old, _LONGEST)} → {shorten(new, _LONGEST)}: {pluralize(count, 'item')}"
        for old, new, count in confused[:_MOST_CHANGES]
    ]
    if len(confused) > _MOST_CHANGES:
        lines.append(f"  and {len(confused) - _MOST_CHANGES} other changes")
    return "\n".join([f"{shorten(agreement.score, _LONGEST)}, values OLD → NEW", *lines]) if lines else ""


def _render_reasons(agreement: Agreement) -> str:
    """Return the most frequent reasons why a side has no value; the table of differences cuts them off."""
    reasons = Counter(
        (side, answer.text)
        for each in agreement.listed
        for side, answer in (("OLD", each.old), ("NEW", each.new))
        if answer is not None and answer.state == "failed"
    )
    lines = [
        f"  {side}: {_make_printable(text)}: {pluralize(count, 'item')}"
        for (side, text), count in reasons.most_common(_MOST_CHANGES)
    ]
    if (rest := len(reasons) - _MOST_CHANGES) > 0:
        lines.append(f"  and {pluralize(rest, 'other reason')}")
    return "\n".join([f"{shorten(agreement.score, _LONGEST)}, failures", *lines]) if lines else ""


def _render_costs(agreement: Agreement) -> str:
    if not any(agreement.costs.values()):
        return ""
    sides = []
    for side, costs in agreement.costs.items():
        unknown = agreement.compared - len(costs)
        amount = f"{sum(costs, Decimal())} USD" if costs else "unknown"
        sides.append(f"{side.upper()} {amount}" + (f", {unknown} of unknown cost" if costs and unknown else ""))
    return f"{shorten(agreement.score, _LONGEST)}, cost of {pluralize(agreement.compared, 'item')}: " + "; ".join(sides)


def _render_differences(differences: Sequence[Difference], limit: int) -> str:
    rows = [
        [difference.score, difference.item, difference.kind, _render_side(difference.old), _render_side(difference.new)]
        for difference in differences[:limit]
    ]
    table = render_grid(["score", "item", "difference", "OLD", "NEW"], rows, left=5)
    rest = len(differences) - limit
    return table + (f"\nand {rest} more; next: --output FILE.csv" if rest > 0 else "")


def _render_side(answer: Answer | None) -> str:
    return "" if answer is None else answer.text if answer.state == "value" else f"({answer.state}) {answer.text}"
