"""LangGraphScore: a graph of nodes that LangGraph runs."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import Any

from langgraph.errors import GraphRecursionError
from typing_extensions import override

from plexus.configuration.graph import LangGraphScore
from plexus.context import Context
from plexus.exceptions import PlexusError, ScoringFailed
from plexus.graph import build, providers
from plexus.graph.asking import Asker
from plexus.graph.cassette import Cassette, Recorder
from plexus.graph.fields import fields_of
from plexus.graph.nodes.logical import as_value
from plexus.graph.providers import REPLAY, Settings
from plexus.graph.references import Outputs, Reference
from plexus.graph.replay import ReplayChatModel
from plexus.graph.state import Run
from plexus.scores.base import Request, Scorer
from plexus.text import digest
from plexus.values import Outcome, Result

_LONGEST_PATH = 200
#: A graph without an `output` ends with what its last node found, and with its explanation where it has one.
_LAST = Outputs(tuple((name, Reference((name,)), name) for name in ("value", "explanation")))


class GraphScorer(Scorer[LangGraphScore]):
    """Replayed graphs run one item after the other; live ones run several at once, for they wait most of the time."""

    @override
    def prepare(self, context: Context) -> None:
        """Compiles the graph and makes its models."""
        self._cassette: Cassette | None = None
        self._models: dict[Settings, Any] = {}
        self._recorder = Recorder(context.record) if context.record is not None else None
        self.live = False
        self.settings: list[Settings] = []
        self.graph = build.compiled(self.configuration, lambda node: self._asker(node, context))
        listed = self.configuration.graph
        self._longest_path = max(_LONGEST_PATH, 2 * len(listed))
        fields = {field for node in listed for field in fields_of(node)}
        known = build.known_names(listed) | fields
        self.output = Outputs.of(self.configuration.output, known) if self.configuration.output else _LAST
        self.prompt_hash = digest(
            [[node.name, getattr(node, "system_message", None), getattr(node, "user_message", None)] for node in listed]
        )
        self.model = ", ".join(dict.fromkeys(each.model_id for each in self.settings)) or None

    @override
    def score(self, requests: Sequence[Request], context: Context) -> list[Outcome]:
        """One outcome per request."""
        if not self.live or len(requests) == 1:
            return [self._one(request, context) for request in requests]
        with ThreadPoolExecutor(max_workers=context.workers, thread_name_prefix="plexus-graph") as pool:
            return list(pool.map(lambda request: self._one(request, context), requests))

    def _one(self, request: Request, context: Context) -> Outcome:
        run = Run(context, self._budget(context))
        state = build.start(request.text, request.item.metadata, request.results, run)
        try:
            end = self.graph.invoke(state, {"recursion_limit": self._longest_path})
            return self._outcome(end, run)
        except PlexusError as error:
            return error
        except GraphRecursionError:
            name, most = self.configuration.name, self._longest_path
            return ScoringFailed(f"the graph of {name!r} took more than {most} steps: its nodes lead round in a circle")
        except Exception as error:
            at = f" at the node {run.path[-1]!r}" if run.path else ""
            return ScoringFailed(f"the graph of {self.configuration.name!r} failed{at}: {type(error).__name__}")

    def _outcome(self, end: Any, run: Run) -> Outcome:
        final, values = end["final"], end["values"]
        places = (values, values.get(run.path[-1], {}))
        lenient = "value" in final or self.output is _LAST
        resolve = self.output.resolve_known if lenient else self.output.resolve
        aliases = {**resolve(*places), **final}
        explanation = aliases.get("explanation")
        return Result(
            as_value(aliases.get("value"), self.configuration.name),
            None if explanation is None else str(explanation),
            confidence=self._confidence(aliases.get("confidence")),
            cost=run.cost,
            trace={"path": run.path, "nodes": run.nodes},
            model=self.model,
            prompt_hash=self.prompt_hash,
            configuration_hash=self.configuration_hash,
            usage=run.usage,
        )

    def _confidence(self, given: Any) -> float | None:
        """Raises ScoringFailed for anything but a number from 0 to 1: what reads it would take it for one."""
        if given is None:
            return None
        if isinstance(given, bool) or not isinstance(given, (int, float)) or not 0 <= given <= 1:
            raise ScoringFailed(f"{self.configuration.name!r} gave a confidence that is no number from 0 to 1")
        return float(given)

    def _budget(self, context: Context) -> Decimal | None:
        own = self.configuration.budget
        limits = [
            limit for limit in (context.budget, Decimal(str(own)) if own is not None else None) if limit is not None
        ]
        return min(limits) if limits else None

    def _asker(self, node: Any, context: Context) -> Asker:
        settings = Settings.of(node, self.configuration)
        self.settings.append(settings)
        replayed = context.record is None and (context.offline or settings.provider == REPLAY)
        self.live = self.live or not replayed
        if settings not in self._models:
            self._models[settings] = self._replay(settings, context) if replayed else self._live(settings, context)
        answering = settings if replayed or context.model is None else settings.instead(context.model)
        recorder = self._recorder
        return Asker(settings, self._models[settings], replayed=replayed, recorder=recorder, paid=answering.model_id)

    def _live(self, settings: Settings, context: Context) -> Any:
        """The model that really answers: the card's own, unless the context names one to record from."""
        return providers.live(settings if context.model is None else settings.instead(context.model))

    def _replay(self, settings: Settings, context: Context) -> ReplayChatModel:
        if self._cassette is None:
            self._cassette = providers.open_cassette(self.configuration.cassette, self.configuration.name, context)
        command = f"python -m plexus run CARD.yaml --score {self.configuration.name!r} --record FILE"
        if settings.provider == REPLAY:
            command += " --model PROVIDER:NAME"
        return ReplayChatModel(
            cassette=self._cassette,
            model_id=settings.model_id,
            parameters=settings.parameters,
            record_with=command,
        )
