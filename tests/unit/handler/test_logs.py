import sys

from handler.logs import locate_frame


def _fail(depth: int) -> None:
    if depth:
        _fail(depth - 1)
    raise ValueError("a secret text")


def test_the_place_of_an_error_is_its_three_innermost_frames() -> None:
    """Each frame is a module and a line, innermost first, without values and messages."""
    try:
        _fail(5)
    except ValueError:
        frames = (locate_frame(sys.exc_info()[2]) or "").split(" < ")
    line = _fail.__code__.co_firstlineno
    assert frames == [f"{__name__}:{line + offset}" for offset in (3, 2, 2)]
    assert locate_frame(None) is None
