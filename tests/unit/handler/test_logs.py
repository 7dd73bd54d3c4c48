import sys

import plexus
from handler.clock import Clock
from handler.logs import locate_frame
from handler.records import derive_result_id
from tests.memory.world import World, scoring


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


def test_a_frame_of_no_module_has_a_question_mark() -> None:
    """Code that is executed without the name of a module is located by its line alone."""
    try:
        exec(compile("def fail(): raise ValueError\nfail()", "made", "exec"), {})  # noqa: S102  # code of this test
    except ValueError:
        frames = (locate_frame(sys.exc_info()[2]) or "").split(" < ")
    assert frames[:2] == ["?:1", "?:2"]


def test_a_committed_job_logs_its_seconds_and_its_result(world: World) -> None:
    """The line of a completed job has the seconds from its start to its commit, and the ids of job and result."""
    now = [500.0]

    def slow(item: plexus.Item, _: plexus.Context) -> plexus.Result:
        now[0] += 2.3456
        return plexus.Result("Yes")

    world.send_jobs(world.job())
    world.batch(world.runtime(score=scoring(slow), clock=Clock(lambda: world.time, lambda: now[0])))
    (line,) = [line for line in world.lines() if line.get("message") == "committed"]
    assert (line["level"], line["seconds"]) == ("INFO", 2.346)
    assert (line["scoring_job_id"], line["score_result_id"]) == ("job-1", derive_result_id("job-1"))
