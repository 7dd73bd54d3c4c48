"""Lint every image of the corpus and start those that can be: how often is the linter wrong, and how often unsure?

python -m bench.lint      (after make build; a minute on two cores)

Prints each wrong answer, whether of the linter or of the corpus, and counts by outcome; the exit status is then 1.
Recipes that need a shell get this machine's /bin/sh and /usr/bin/env.
"""

import sys
import tempfile
from collections import Counter
from pathlib import Path

from local_aws import first_start
from local_aws.exceptions import LocalAwsError
from nix.build import DEFAULT_OUTPUT
from nix.cache.folder import in_use
from nix.oci.lint import lint
from tests.images.corpus import CORPUS
from tests.images.recipe import ACCEPTED, RUN, answer, base_of, with_programs


def main() -> int:
    """Lint every image, start those that can be started, and print the counts; return 1 for a wrong answer, else 0."""
    answers, starts, wrong = Counter[tuple[str, str]](), Counter[str](), 0
    engine = first_start.choose_isolating_engine()
    with tempfile.TemporaryDirectory(prefix="score-processor-") as name, in_use():
        work = Path(name)
        base = base_of(DEFAULT_OUTPUT, work)
        programs = {path: Path(f"/{path}").read_bytes() for path in ("bin/sh", "usr/bin/env")}
        with_shell = with_programs(base, work, programs)
        for recipe in CORPUS:
            base_image = with_shell if recipe.needs_shell else base
            layout = base_image.write(recipe, work / recipe.name)
            got = answer(lint(base_image.image(layout)))
            answers[recipe.want, got] += 1
            if got not in (recipe.want, "unknown"):
                wrong += 1
                print(f"WRONG {recipe.name}: the linter's answer is {got}, expected {recipe.want}", flush=True)
            if recipe.source != RUN:
                continue
            try:
                started = first_start.watch_first_start(first_start.open_image(layout, work), engine)
            except LocalAwsError as problem:
                started = first_start.FirstStart("exit", text=str(problem))
            starts[started.outcome] += 1
            if (started.outcome == "ready") != (recipe.want == ACCEPTED):
                wrong += 1
                print(
                    f"WRONG {recipe.name}: {recipe.want} in the corpus; {started.outcome}: {started.text}", flush=True
                )
    for (want, got), count in sorted(answers.items()):
        print(f"{want:8} {got:8} {count:4}")
    print(f"{len(CORPUS)} images, {sum(starts.values())} started ({dict(starts)}): {wrong} wrong answers")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
