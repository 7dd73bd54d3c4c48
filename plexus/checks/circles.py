"""Circles among dependencies: which scores wait for each other."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping, Sequence

Edges = Mapping[str, Sequence[str]]


def circles(edges: Edges) -> Iterator[list[str]]:
    """Circles such that every dependency that lies on one lies on one of these: `[A, B]` is A → B → A.

    Through each dependency it is a shortest one, each comes once, and each begins with its first name in the order of
    `edges`. All there are could be more than anybody has time for: of n scores, more than n factorial.
    """
    order = {name: place for place, name in enumerate(edges)}
    seen: set[tuple[str, str]] = set()
    for group in _groups(edges):
        inside = {name: [each for each in edges[name] if each in group] for name in edges if name in group}
        for start, targets in inside.items():
            for target in targets:
                if (start, target) not in seen:
                    circle = [start, *_path(inside, target, start)]
                    seen.update(zip(circle, [*circle[1:], start], strict=True))
                    first = circle.index(min(circle, key=order.__getitem__))
                    yield circle[first:] + circle[:first]


def _path(edges: Edges, start: str, end: str) -> list[str]:
    """A shortest way from one to another, without its end; there is one."""
    before: dict[str, str] = {}
    open_ = deque([start])
    while end not in before:
        name = open_.popleft()
        for each in edges[name]:
            if each not in before:
                before[each] = name
                open_.append(each)
    way = [end]
    while way[-1] != start:
        way.append(before[way[-1]])
    return way[:0:-1]


def _groups(edges: Edges) -> Iterator[frozenset[str]]:
    """Sets of names of which each leads to each other (strongly connected), two passes as Kosaraju's."""
    back: dict[str, list[str]] = {name: [] for name in edges}
    for name, targets in edges.items():
        for each in targets:
            back[each].append(name)
    done: set[str] = set()
    last = [each for name in edges for each in _walk(edges, name, done)]
    done = set()
    for name in reversed(last):
        group = frozenset(_walk(back, name, done))
        if len(group) > 1:
            yield group


def _walk(edges: Edges, start: str, done: set[str]) -> list[str]:
    """All that can be reached and is not done yet, each after what it leads to; without recursion, for long chains."""
    if start in done:
        return []
    done.add(start)
    finished, open_ = [], [(start, iter(edges[start]))]
    while open_:
        name, rest = open_[-1]
        following = next((each for each in rest if each not in done), None)
        if following is None:
            finished.append(name)
            open_.pop()
        else:
            done.add(following)
            open_.append((following, iter(edges[following])))
    return finished
