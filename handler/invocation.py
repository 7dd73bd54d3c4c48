"""The values that belong to one invocation. They are passed down, and never stored on an object that outlives it."""

from dataclasses import dataclass, replace
from threading import Lock

from handler.clock import Deadline
from handler.exceptions import HandlerError
from handler.logs import Log
from handler.store import Store
from handler.subsegments import Trace


class Account:
    """The worker's own account. The id is read from DynamoDB on first use and cached for the environment's lifetime."""

    def __init__(self, store: Store, key: str):
        self._store, self._key = store, key
        self._id: str | None = None
        self._error: HandlerError | None = None
        self._lookups = 0
        self._lock = Lock()

    def id(self) -> str:
        """Return the account's id; raises `Misconfigured` or `Unavailable`. Thread-safe, with one lookup at a time.

        Those that wait for a lookup share its error, too: the jobs of a batch would otherwise wait for one call each.
        """
        lookups = self._lookups
        with self._lock:
            if self._id is None:
                if self._error is None or lookups == self._lookups:
                    self._look_up()
                if self._error is not None:
                    raise type(self._error)(*self._error.args)
            assert self._id is not None
            return self._id

    def _look_up(self) -> None:
        self._error = None
        try:
            self._id = self._store.find_account_id(self._key)
        except HandlerError as error:
            self._error = error
        finally:
            self._lookups += 1


@dataclass(frozen=True)
class Invocation:
    """One invocation: when it ends, where it logs and traces, and the account whose jobs it may process."""

    deadline: Deadline
    log: Log
    trace: Trace
    account: Account

    def bind(self, **fields: object) -> "Invocation":
        """Return the same invocation with more fields on every line of its log."""
        return replace(self, log=self.log.bind(**fields))
