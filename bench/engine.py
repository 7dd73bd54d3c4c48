"""The scoring library against the libraries under it, in one run: what plexus itself adds.

python bench/engine.py [--texts N] [--rounds N] [--json]

Each pair does the same work on the same texts, alternating, and the best round is reported: keyword, SVM and XGBoost
scores in batches, a graph of six nodes on a replayed model, imports in fresh processes, the first score of each class,
memory.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from bench.bare_scores import KEYWORDS, NODES, QUESTION, bare_boosted, bare_graph, bare_keyword, bare_svm
from bench.measure import say

ROOT = Path(__file__).resolve().parents[1]

GRAPH_TEXTS, IMPORTS = 100, 15
SENTENCE = (
    "the parcel came late and box was broken I want my money back please nobody answers phone great value soft warm "
    "love it works well battery dead after an hour cancel refund quick delivery colour not as shown would buy again"
)
FRIENDLY = {"great", "soft", "warm", "love", "works", "well", "quick", "again"}


@dataclass(frozen=True)
class Pair:
    """Seconds of the same work through plexus (`ours`) and through the bare library, wall-clock and processor time."""

    what: str
    texts: int
    ours: float
    bare: float
    ours_processor: float
    bare_processor: float

    @property
    def ratio(self) -> float:
        """plexus' wall-clock time by the bare library's: above 1, plexus takes longer."""
        return self.ours / self.bare

    @property
    def processor_ratio(self) -> float:
        """The ratio of processor times, which other processes on the same cores disturb less."""
        return self.ours_processor / self.bare_processor


@dataclass(frozen=True)
class First:
    """Milliseconds from the start of a process to its first score, import included, and its peak memory in MB."""

    what: str
    ms: float
    memory_mb: float


def texts(count: int) -> list[str]:
    """Return sentences of ten to thirty words; the same for each call."""
    chance, words = random.Random(5), SENTENCE.split()
    return [" ".join(chance.choices(words, k=chance.randint(10, 30))) for _ in range(count)]


def cards(folder: Path) -> dict[str, Path]:
    """Write trained scorecards with one score each, and a graph with its cassette; return their paths by name."""
    from plexus import load_file
    from plexus.artifacts import FolderArtifacts
    from plexus.publishing import publish

    rows = [json.dumps({"text": text, "label": _label(text)}) for text in texts(600)]
    (folder / "train.jsonl").write_text("\n".join(rows))
    sources = {
        "keyword": f"class: KeywordClassifier\n    keywords: [{', '.join(KEYWORDS)}]",
        "SVM": "class: SVMClassifier\n    data: {file: train.jsonl}",
        "XGBoost": "class: ExplainableClassifier\n    data: {file: train.jsonl}",
        "graph": _graph(folder),
    }
    paths = {}
    for name, source in sources.items():
        paths[name] = folder / f"{name}.yaml"
        paths[name].write_text(f"name: Bench\nkey: bench\nscores:\n  - name: Bench\n    {source}\n")
        if name in ("SVM", "XGBoost"):
            say(f"training {name}")
            paths[name].write_text(publish(load_file(paths[name]), FolderArtifacts(folder / "store")).text)
    return paths


def _label(text: str) -> str:
    return "Friendly" if sum(word in FRIENDLY for word in text.split()) * 4 > len(text.split()) else "Other"


def _graph(folder: Path) -> str:
    """Write the cassette of six questions about every text, and return the YAML of their graph."""
    entries = [
        {
            "request": {
                "model": "replay:bench",
                "parameters": {},
                "messages": [{"role": "human", "content": QUESTION.format(node, text)}],
            },
            "reply": {"content": "Because of its words. Yes", "input_tokens": 20, "output_tokens": 6},
        }
        for text in texts(GRAPH_TEXTS)
        for node in range(NODES)
    ]
    (folder / "replies.json").write_text(json.dumps({"format": 1, "entries": entries}))
    nodes = "".join(
        f"\n      - {{name: n{node}, class: YesOrNoClassifier, user_message: '{QUESTION.format(node, '{{ text }}')}'}}"
        for node in range(NODES)
    )
    head = "class: LangGraphScore\n    model_provider: replay\n    model_name: bench\n    cassette: replies.json"
    return f"{head}\n    graph:{nodes}"


def through_plexus(card: Path, sentences: Sequence[str]) -> Callable[[], Any]:
    """Return a function that scores all texts as one batch."""
    import plexus
    from plexus.artifacts import FolderArtifacts

    loaded, context = plexus.load_file(card), plexus.Context(artifacts=FolderArtifacts(card.parent / "store"))
    items = [plexus.Item(text) for text in sentences]

    def run() -> list[Any]:
        outcomes = plexus.score_batch(loaded, "Bench", items, context=context)
        assert all(isinstance(one, plexus.Result) for one in outcomes)
        return outcomes

    return run


def pairs(paths: dict[str, Path], count: int, rounds: int) -> list[Pair]:
    """Score alternately through plexus and through the bare library; return the best of `rounds` for each card."""
    all_texts, graph_texts = texts(count), texts(GRAPH_TEXTS)
    bare = {
        "keyword": bare_keyword(all_texts),
        "SVM": bare_svm(_artifact(paths["SVM"]), all_texts),
        "XGBoost": bare_boosted(_artifact(paths["XGBoost"]), all_texts),
        "graph": bare_graph(paths["graph"].parent, graph_texts),
    }
    output = []
    for name, card in paths.items():
        sentences = graph_texts if name == "graph" else all_texts
        say(f"{name}: {len(sentences)} texts, {rounds} rounds")
        ours = through_plexus(card, sentences)
        took: tuple[list[tuple[float, float]], list[tuple[float, float]]] = ([], [])
        for turn in range(rounds + 1):  # the first warms both
            for place, run in enumerate((ours, bare[name])):
                seconds = _time(run)
                if turn:
                    took[place].append(seconds)
        clock, processor = ([min(run[kind] for run in each) for each in took] for kind in (0, 1))
        output.append(Pair(name, len(sentences), *clock, *processor))
    return output


def _time(run: Callable[[], Any]) -> tuple[float, float]:
    """Return the seconds of a run by the clock, and the processor time of all threads."""
    gc.collect()
    began, worked = time.perf_counter(), time.process_time()
    run()
    return time.perf_counter() - began, time.process_time() - worked


def _artifact(card: Path) -> Path:
    line = next(line for line in card.read_text().splitlines() if "artifact: sha256:" in line)
    return card.parent / "store" / line.rpartition("sha256:")[2].strip("'\" ")


def firsts(paths: dict[str, Path]) -> list[First]:
    """Time the first score of each class in a process of its own; return the best of three."""
    program = (
        "import sys, time; began = time.perf_counter(); import plexus; from plexus.artifacts import FolderArtifacts; "
        "context = plexus.Context(artifacts=FolderArtifacts(sys.argv[2])); "
        "found = plexus.score(plexus.load_file(sys.argv[1]), 'Bench', plexus.Item(sys.argv[3]), context=context); "
        "took = 1000 * (time.perf_counter() - began); "
        "print(took, next(line.split()[1] for line in open('/proc/self/status') if line.startswith('VmHWM')))"
    )
    output = []
    for name, card in paths.items():
        say(f"first score: {name}")
        runs = [_values(program, str(card), str(card.parent / "store"), texts(1)[0]) for _ in range(3)]
        output.append(First(name, min(run[0] for run in runs), max(run[1] for run in runs) / 1024))
    return output


def import_ms() -> dict[str, float]:
    """Return the milliseconds of `import plexus` and of a bare start of Python, the best of IMPORTS processes."""
    say(f"imports: {IMPORTS} processes each")
    program = "import time; began = time.perf_counter(); import plexus; print(1000 * (time.perf_counter() - began))"
    started = []
    for _ in range(IMPORTS):
        began = time.perf_counter()
        subprocess.run([sys.executable, "-c", "pass"], check=True)
        started.append(1000 * (time.perf_counter() - began))
    return {"plexus": min(_values(program)[0] for _ in range(IMPORTS)), "python": min(started)}


def _values(program: str, *arguments: str) -> list[float]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments], env=environment, check=True, capture_output=True, text=True
    )
    return [float(word) for word in done.stdout.split()]


def page(output: list[Pair], first: list[First], imported: dict[str, float]) -> str:
    """Format the results as Markdown tables."""
    lines = [
        "| score | texts | plexus, s | straight, s | ratio | processor |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    lines += [
        f"| {one.what} | {one.texts} | {one.ours:.3f} | {one.bare:.3f} | {one.ratio:.2f} | {one.processor_ratio:.2f} |"
        for one in output
    ]
    lines += ["", "| first score in a new process | ms | memory, MB |", "|---|---:|---:|"]
    lines += [f"| {one.what} | {one.ms:.0f} | {one.memory_mb:.0f} |" for one in first]
    import_times = (
        f"`import plexus` takes {imported['plexus']:.0f} ms; Python itself starts in {imported['python']:.0f} ms."
    )
    return "\n".join([*lines, "", import_times])


def main() -> int:
    """Run the benchmark, and print its results."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--texts", type=int, default=10_000, help="texts of a batch (default: 10000)")
    parser.add_argument("--rounds", type=int, default=5, help="rounds to measure (default: 5)")
    parser.add_argument("--json", action="store_true", help="print JSON instead of tables")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-engine-") as folder:
        paths = cards(Path(folder))
        output, first, imported = pairs(paths, options.texts, options.rounds), firsts(paths), import_ms()
    if options.json:
        rows = [{**asdict(one), "ratio": one.ratio, "processor_ratio": one.processor_ratio} for one in output]
        print(json.dumps({"pairs": rows, "first": list(map(asdict, first)), "import_ms": imported}, indent=1))
    else:
        print(page(output, first, imported))
    return 0


if __name__ == "__main__":
    sys.exit(main())
