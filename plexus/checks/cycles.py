"""Cycles in a graph of dependencies."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping, Sequence

Edges = Mapping[str, Sequence[str]]


def find_cycles(edges: Edges) -> Iterator[list[str]]:
    """Yield cycles that together contain every edge that lies on any cycle; `[A, B]` is A → B → A.

    For each edge not covered yet, a shortest cycle through it is yielded, beginning with the name that comes first in
    `edges`. All cycles of a graph can be factorially many, so they are not enumerated. Every target must be a key.
    """
    order = {name: index for index, name in enumerate(edges)}
    covered: set[tuple[str, str]] = set()
    for component in _find_components(edges):
        inside = {
            name: [target for target in edges[name] if target in component] for name in edges if name in component
        }
        for start, targets in inside.items():
            for target in targets:
                if (start, target) not in covered:
                    cycle = [start, *_find_shortest_path(inside, target, start)]
                    covered.update(zip(cycle, [*cycle[1:], start], strict=True))
                    first = cycle.index(min(cycle, key=order.__getitem__))
                    yield cycle[first:] + cycle[:first]


def _find_shortest_path(edges: Edges, start: str, end: str) -> list[str]:
    """Return a shortest path from start to end, without the end; there must be one."""
    before: dict[str, str] = {}
    queue = deque([start])
    while end not in before:
        name = queue.popleft()
        for target in edges[name]:
            if target not in before:
                before[target] = name
                queue.append(target)
    path = [end]
    while path[-1] != start:
        path.append(before[path[-1]])
    return path[:0:-1]


def _find_components(edges: Edges) -> Iterator[frozenset[str]]:
    """Yield the strongly connected components of more than one name (Kosaraju's two passes)."""
    reverse: dict[str, list[str]] = {name: [] for name in edges}
    for name, targets in edges.items():
        for target in targets:
            reverse[target].append(name)
    done: set[str] = set()
    finished = [reached for name in edges for reached in _walk(edges, name, done)]
    done = set()
    for name in reversed(finished):
        component = frozenset(_walk(reverse, name, done))
        # A score that depends on itself is reported as such by checks.dependencies.
        if len(component) > 1:
            yield component


def _walk(edges: Edges, start: str, done: set[str]) -> list[str]:
    """Return what can be reached and is not done, in postorder; iterative, because chains can be long."""
    if start in done:
        return []
    done.add(start)
    finished, stack = [], [(start, iter(edges[start]))]
    while stack:
        name, rest = stack[-1]
        following = next((target for target in rest if target not in done), None)
        if following is None:
            finished.append(name)
            stack.pop()
        else:
            done.add(following)
            stack.append((following, iter(edges[following])))
    return finished
