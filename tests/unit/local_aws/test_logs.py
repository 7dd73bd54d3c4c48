"""Lines of a container."""

import os

from local_aws.logs import EVENT_LIMIT, TAIL_LIMIT, LinePipe, Tail


def test_drained_pipe_has_handed_on_every_whole_line() -> None:
    """After drain all lines written before are there; a part of a line comes with close."""
    lines: list[str] = []
    pipe = LinePipe(lines.append)
    os.write(pipe.write_end, b"one\ntwo\nthr")
    pipe.drain()
    assert lines == ["one", "two"]
    pipe.close()
    assert lines == ["one", "two", "thr"]


def test_long_line_is_cut() -> None:
    """A line over the event limit is handed on in pieces of at most that size."""
    lines: list[str] = []
    pipe = LinePipe(lines.append)
    for _ in range(10):
        os.write(pipe.write_end, b"x" * 40_000)
        pipe.drain()
    pipe.close()
    assert sum(map(len, lines)) == 400_000
    assert max(map(len, lines)) <= EVENT_LIMIT


def test_tail_is_the_end_of_the_log() -> None:
    """The tail keeps the last four kilobytes."""
    tail = Tail()
    for number in range(2000):
        tail.add(f"line {number}")
    assert tail.read_text().endswith("line 1998\nline 1999\n")
    assert len(tail.read_text().encode()) == TAIL_LIMIT
