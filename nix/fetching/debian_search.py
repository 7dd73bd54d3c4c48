"""Find pinned Debian packages on the pools of several places, and download them, remembering every failure."""

import re
import threading
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

from nix.cache import input_cache
from nix.clients import http_download
from nix.clients.http_download import Failure, Kind
from nix.clients.subprocesses import Subprocesses
from nix.debian import apt_sources
from nix.debian.mirrors import APT_HELPER, Place, Pool, list_pool_paths
from nix.fetching.fetch_report import Attempts
from nix.pins import Deb

AT_ONCE = 8
TRIES = 2  # per address, if its failure may be temporary
APT_FAILURE = re.compile(r"Failed to fetch \S+\s+(.+?)(?:\s+\[IP.*)?$", re.M)
STOPPED = Failure(Kind.ABSENT, "stopped")  # by Ctrl-C: the answers are not used
Item = TypeVar("Item")
Result = TypeVar("Result")


@dataclass(frozen=True)
class Found:
    """A package's address, and the place and pool that have it."""

    address: str
    place: str
    pool: Pool


class Search:
    """A search for packages. Servers that cannot be reached, and addresses that failed, are not asked again.

    A server that let one download time out, and has not completed any, is given up: every other would take as long.
    `arrived` counts the downloads by place. Call the methods again for what is still missing, but not concurrently.
    """

    def __init__(self, work: Path, running: Subprocesses, attempts: Attempts) -> None:
        self._folder, self._running, self._attempts = input_cache.ensure_folder(work / "debs"), running, attempts
        self._clients: dict[bool, urllib.request.OpenerDirector] = {}
        self._down: dict[tuple[str, bool], Failure] = {}
        self._failed: dict[str, Failure] = {}
        self._tries: Counter[str] = Counter()
        self._uncertain: dict[Deb, Found] = {}
        self._good: set[Pool] = set()
        self._delivered: set[str] = set()
        self._silent: dict[str, Failure] = {}
        self._stop = threading.Event()
        self.arrived: Counter[str] = Counter()

    def locate(self, debs: Sequence[Deb], places: Iterable[Place]) -> dict[Deb, Found]:
        """Ask each place for the packages that no earlier place has. Only apt's helper has to download them for that.

        If no place is sure to have a package, an address that may have it, of a slow or busy server, is returned.
        """
        located: dict[Deb, Found] = {}
        self._uncertain.clear()
        for place in places:
            left = [deb for deb in debs if deb not in located]
            if not left:
                return located
            answers = self._at_once(partial(self._in_place, place=place), left)
            located |= {deb: answer for deb, answer in zip(left, answers, strict=True) if answer}
        return {**self._uncertain, **located}

    def download(self, debs: Mapping[Deb, Found]) -> None:
        """Download and verify packages; those that fail are left out, and their address counts as tried."""
        self._at_once(lambda deb: self._download(deb, debs[deb]), list(debs))

    def find_superseded(self, debs: Sequence[Deb], places: Iterable[Place], releases: Sequence[str]) -> list[Deb]:
        """Return the packages that have been superseded, if a mirror of their release answers: all, or none.

        A mirror is recognized by having other packages, or by the index of one of `releases`.
        """
        pools = [pool for place in places for pool in place.pools]
        if any(pool in self._good for pool in pools):
            return list(debs)
        client = self._client(by_apt=False)
        indexes = [f"{pool.address}dists/{release}/InRelease" for pool in pools for release in releases]
        return list(debs) if any(http_download.probe(client, address) is None for address in indexes) else []

    def _in_place(self, deb: Deb, place: Place) -> Found | None:
        for path in list_pool_paths(deb):
            for pool in place.pools:
                for address in pool.list_addresses(path, deb.snapshots):
                    problem = self._ask(deb, address, pool)
                    if problem is None:
                        self._good.add(pool)
                        return Found(address, place.name, pool)
                    if problem.kind is Kind.UNCLEAR and self._tries[address] < TRIES:
                        self._uncertain.setdefault(deb, Found(address, place.name, pool))
                    self._attempts.add(place.name, parse_server(address), problem.reason, [deb])
        return None

    def _ask(self, deb: Deb, address: str, pool: Pool) -> Failure | None:
        if self._stop.is_set():
            return STOPPED
        if self._tries[address] >= TRIES:
            return self._failed[address]
        server = (parse_server(address), pool.by_apt)
        if server in self._down:
            return self._down[server]
        problem = http_download.probe(self._client(pool.by_apt), address, deb.size)
        if problem and problem.kind is not Kind.ABSENT and pool.by_apt:
            problem = self._by_apt(deb, address)
        if problem and (problem.kind is Kind.UNREACHABLE or problem.reason == http_download.TIMED_OUT):
            self._down[server] = problem
        return problem

    def _by_apt(self, deb: Deb, address: str) -> Failure | None:
        """Download with apt's own program, which knows the credentials and certificates that apt is configured with."""
        path = self._folder / f"{deb.file_name}.apt"
        done = self._running.run([APT_HELPER, "-qq", "download-file", address, path])
        if done.returncode:
            text = match[1] if (match := APT_FAILURE.search(done.stderr)) else "apt-helper failed"
            reason = " ".join(text.split())
            return Failure(Kind.ABSENT if reason.startswith("404") else Kind.UNREACHABLE, reason)
        return self._store(deb, path)

    def _download(self, deb: Deb, where: Found) -> None:
        if not input_cache.is_cached(deb) and (problem := self._get(deb, where)):
            self._tries[where.address] += 1 if problem.kind is Kind.UNCLEAR else TRIES
            self._failed[where.address] = problem
            self._attempts.add(where.place, parse_server(where.address), problem.reason, [deb])
            return
        self.arrived[where.place] += 1

    def _get(self, deb: Deb, where: Found) -> Failure | None:
        server, path = parse_server(where.address), self._folder / deb.file_name
        if server not in self._delivered and server in self._silent:
            return self._silent[server]
        problem = http_download.download(self._client(where.pool.by_apt), where.address, path, self._stop)
        problem = problem or self._store(deb, path)
        if problem is None:
            self._delivered.add(server)
        elif problem.reason == http_download.TIMED_OUT:
            self._silent[server] = problem
        return problem

    def _store(self, deb: Deb, path: Path) -> Failure | None:
        if wrong := input_cache.find_mismatch(deb, path):
            path.unlink()
            return Failure(Kind.ABSENT, wrong)
        input_cache.store(path, deb)
        return None

    def _client(self, by_apt: bool) -> urllib.request.OpenerDirector:
        if by_apt not in self._clients:
            self._clients[by_apt] = http_download.create_opener(apt_sources.read_proxies() if by_apt else None)
        return self._clients[by_apt]

    def _at_once(self, work: Callable[[Item], Result], items: Sequence[Item]) -> list[Result]:
        pool = ThreadPoolExecutor(AT_ONCE)
        try:
            return list(pool.map(work, items))
        except BaseException:  # Ctrl-C does not wait for what is half downloaded
            self._stop.set()
            pool.shutdown(wait=False, cancel_futures=True)
            http_download.hang_up()
            raise
        finally:
            pool.shutdown()


def parse_server(address: str) -> str:
    """Return what an address has before its path; a folder's address as it is."""
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}" if parts.netloc else address.partition("/pool/")[0]
