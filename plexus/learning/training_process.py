"""Train a model in a process of its own, whose arithmetic does not depend on the processor.

OpenBLAS, NumPy and the C library each choose code by the processor that they find, and their results differ in the last
bits; so would a model's digest. Their choices are made once, from environment variables, before anything is computed:
hence a new process, with an environment in which each of them takes the code that every x86-64 processor can run.

`python -m plexus.learning.training_process REQUEST` is that process: a request in a JSON file, events on
stdout, a line of JSON each.
"""

from __future__ import annotations

import importlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import IO, TextIO

from plexus import exceptions
from plexus.exceptions import PlexusError, require_packages
from plexus.learning.objectives import ACCURACY, Objective
from plexus.learning.training import OnStep, Report, report_steps

TRAINERS = {"SVMClassifier": "plexus.learning.train_svm", "ExplainableClassifier": "plexus.learning.train_explainable"}
#: The extra that trains a class, and its top-level modules.
_EXTRAS = {
    "SVMClassifier": ("svm", ("numpy", "scipy", "sklearn")),
    "ExplainableClassifier": ("xgboost", ("numpy", "scipy", "sklearn", "xgboost")),
}
#: Trains a model of a class on texts and labels for an objective, saves its files in a folder, and reports its steps.
Train = Callable[[str, Sequence[str], Sequence[str], Path, OnStep, Objective], Report]

#: OpenBLAS's kernels for the oldest 64-bit processor that it knows: every other one runs them too.
_KERNEL = "Prescott"
#: exp, log and pow round differently with fused multiply-add. Until glibc 2.33 the features were called X_Usable.
_VARIANTS = ",".join(f"-{name},-{name}_Usable" for name in ("AVX", "AVX2", "FMA", "FMA4"))
#: What a caller's environment says about arithmetic, hashing and warnings; none of it may reach a training.
_DROPPED = ("OPENBLAS_", "GOTO_", "OMP_", "GOMP_", "KMP_", "MKL_", "BLIS_", "NPY_", "SCIPY_", "SKLEARN_")


def pin_environment(caller: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Return the caller's environment with every variable replaced that decides which arithmetic is used.

    The same on every processor: it depends only on the installed NumPy, whose optional features are all disabled.
    """
    import numpy

    simd = numpy.show_config(mode="dicts")["SIMD Extensions"]
    path = [str(Path(__file__).resolve().parents[2]), *filter(None, [caller.get("PYTHONPATH")])]
    kept = {name: value for name, value in caller.items() if not name.startswith(_DROPPED)}
    kept.pop("PYTHONWARNINGS", None)  # NumPy warns of a disabled feature that this processor does not have anyway
    return {
        **kept,
        "NPY_DISABLE_CPU_FEATURES": " ".join(sorted({*simd.get("found", ()), *simd.get("not found", ())})),
        "OPENBLAS_CORETYPE": _KERNEL,
        "OPENBLAS_NUM_THREADS": "1",
        "OMP_NUM_THREADS": "1",
        "GLIBC_TUNABLES": f"glibc.cpu.hwcaps={_VARIANTS}",
        "PYTHONHASHSEED": "0",
        "PYTHONPATH": os.pathsep.join(path),
    }


def train_in_process(
    class_name: str,
    texts: Sequence[str],
    labels: Sequence[str],
    folder: Path,
    on_step: OnStep,
    objective: Objective = ACCURACY,
    *,
    launcher: Sequence[str] = (),
) -> Report:
    """Train in a new process with the pinned environment; the same texts and labels give the same files.

    `launcher` is put before the command, as an emulator of another processor is. Ctrl-C ends the process with this
    one. Raises MissingDependency if the class's extra is not installed, what the training raises on purpose, and
    PlexusError when the process ends without a report.
    """
    extra, modules = _EXTRAS[class_name]
    require_packages(extra, f"training {class_name}", *modules)
    request = {
        "class": class_name,
        "texts": list(texts),
        "labels": list(labels),
        "folder": str(folder),
        "objective": asdict(objective),
    }
    with tempfile.TemporaryDirectory(prefix="plexus-training-") as temporary:
        path = Path(temporary) / "request.json"
        path.write_text(json.dumps(request), encoding="utf-8")
        with _start([*launcher, sys.executable, "-P", "-m", __name__, str(path)]) as process:
            assert process.stdout is not None
            report = _follow(process.stdout, on_step)
            status = process.wait()
    if report is None:
        raise PlexusError(
            f"training {class_name} failed: its process ended with {_format_status(status)}, without a model"
        )
    return report


def train_here(
    class_name: str,
    texts: Sequence[str],
    labels: Sequence[str],
    folder: Path,
    on_step: OnStep,
    objective: Objective = ACCURACY,
) -> Report:
    """Train in this process, with the arithmetic that it happens to have: the digest may depend on the processor.

    Writes the model to `folder`, which exists, and calls `on_step` in this thread. Raises InvalidData for labels that
    cannot be learned.
    """
    trainer = importlib.import_module(TRAINERS[class_name])
    with report_steps(on_step):
        model, report = trainer.train(texts, labels, objective)
    model.save(folder)
    assert isinstance(report, Report)
    return report


@contextmanager
def _start(command: Sequence[str]) -> Iterator[subprocess.Popen[bytes]]:
    """Start a process that is killed at the end of the block; Ctrl-C on the terminal does not reach it by itself."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        # Nothing is written to its stdin: end of file means to the child that this process has exited.
        process = subprocess.Popen(command, env=pin_environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    with process:
        try:
            yield process
        finally:
            process.kill()  # after its end this does nothing


def _follow(events: IO[bytes], on_step: OnStep) -> Report | None:
    """Report steps until the training is over; None when the process ended without a result."""
    for line in events:
        event = json.loads(line)
        if "step" in event:
            on_step(*event["step"])
        elif "error" in event:
            raise getattr(exceptions, event["error"])(event["message"])
        else:
            return Report(**event["report"])
    return None


def _format_status(status: int) -> str:
    return f"exit code {status}" if status >= 0 else f"signal {signal.Signals(-status).name}"


def main() -> None:
    """Handle the request in a file; exit at once when the process that sent it is gone, which closes stdin."""
    # Libraries may print; the pipe is for events alone.
    with os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8", buffering=1) as events:
        os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
        threading.Thread(target=_exit_with_parent, daemon=True).start()
        _handle(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")), events)


def _handle(request: Mapping[str, object], events: TextIO) -> None:
    def send(**event: object) -> None:
        events.write(json.dumps(event) + "\n")

    texts, labels, folder = request["texts"], request["labels"], Path(str(request["folder"]))
    assert isinstance(texts, list)
    assert isinstance(labels, list)
    assert isinstance(request["objective"], dict)
    objective = Objective(**request["objective"])
    try:
        report = train_here(str(request["class"]), texts, labels, folder, lambda *step: send(step=step), objective)
    except PlexusError as error:
        send(error=type(error).__name__, message=str(error))
    else:
        send(report=asdict(report))


def _exit_with_parent() -> None:
    os.read(sys.stdin.fileno(), 1)  # by the descriptor: a buffered reader may not be in use when the process ends
    os._exit(1)


if __name__ == "__main__":
    main()
