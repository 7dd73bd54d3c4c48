"""LangGraphScore: a graph of nodes, run by LangGraph."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from decimal import Decimal
from typing import Any

from langchain_core.language_models.chat_models import BaseChatModel
from langgraph.errors import GraphRecursionError
from typing_extensions import override

from plexus import limits, tracing
from plexus.configuration.graph import LangGraphScore, ModelNode
from plexus.context import Context
from plexus.exceptions import PlexusError, ScoringFailed
from plexus.graph import build, providers
from plexus.graph.cassette import Cassette, Recorder
from plexus.graph.model_call import ModelCaller
from plexus.graph.node_outputs import list_fields
from plexus.graph.providers import REPLAY, Settings
from plexus.graph.references import Outputs, Reference
from plexus.graph.replay import ReplayChatModel
from plexus.graph.state import Run
from plexus.scores.scorer import Request, Scorer
from plexus.text import hash_value
from plexus.threads import DaemonExecutor
from plexus.values import Outcome, Result, format_value

_LONGEST_PATH = 200
#: A graph without an `output` ends with the value of its last node, and with its explanation if it has one.
_LAST = Outputs(tuple((name, Reference((name,)), name) for name in ("value", "explanation")))


class GraphScorer(Scorer[LangGraphScore]):
    """Runs the graph for each item: replayed graphs in order, live ones in parallel because they mostly wait."""

    @override
    def prepare(self, context: Context) -> None:
        """Compile the graph and create its models. Raises ArtifactMissing for a cassette that does not exist."""
        self._cassette: Cassette | None = None
        self._models: dict[Settings, BaseChatModel] = {}
        self._recorder = Recorder(context.record) if context.record is not None else None
        self.live = False
        self.settings: list[Settings] = []
        self.graph = build.compile_graph(self.configuration, lambda node: self._create_caller(node, context))
        listed = self.configuration.graph
        # LangGraph counts a step per node: a chain of hundreds of nodes is long, but not an endless loop.
        self._longest_path = max(_LONGEST_PATH, 2 * len(listed))
        fields = {field for node in listed for field in list_fields(node)}
        known = build.collect_names(listed) | fields
        self.output = Outputs.of(self.configuration.output, known) if self.configuration.output else _LAST
        keys = ("system_message", "user_message", "explanation_message")
        prompts = [[node.name, *(getattr(node, key, None) for key in keys)] for node in listed]
        # Without an explanation_message, the hash is that from before the key existed.
        self.prompt_hash = hash_value([prompt if prompt[-1] else prompt[:-1] for prompt in prompts])
        self.model = ", ".join(dict.fromkeys(settings.model_id for settings in self.settings)) or None

    @override
    def score(self, requests: Sequence[Request], context: Context) -> list[Outcome]:
        """Return one outcome per request; live graphs run in up to `context.workers` threads."""
        # Threads help only while calls wait for a provider; a replay computes, and threads would slow it down.
        if not self.live or len(requests) == 1:
            return self._run_all(requests, context)
        with DaemonExecutor(context.workers, "plexus-graph") as pool:
            return [outcome for (outcome,) in pool.map(lambda request: self._run_all([request], context), requests)]

    def _run_all(self, requests: Sequence[Request], context: Context) -> list[Outcome]:
        quiet = nullcontext() if context.traced and not context.offline else tracing.untraced()
        with quiet, limits.apply_deadline(context.deadline):  # again: this may be another thread than the caller's
            return [self._run(request, context) for request in requests]

    def _run(self, request: Request, context: Context) -> Outcome:
        run = Run(context, self._budget(context))
        state = build.create_state(request.text, request.item.metadata, request.results, run)
        name = self.configuration.name
        try:
            end = self.graph.invoke(state, {"recursion_limit": self._longest_path})
            return self._create_result(end["final"], end["values"], run)
        except PlexusError as error:
            failure = error
        except GraphRecursionError:
            failure = ScoringFailed(
                f"the graph of {name!r} took more than {self._longest_path} steps: its nodes form an endless loop"
            )
        except Exception as error:
            # The exception's own message may quote the text, and this one is logged.
            at = f" at the node {run.path[-1]!r}" if run.path else ""
            failure = ScoringFailed(f"the graph of {name!r} failed{at}: {type(error).__name__}")
        if run.usage.calls:
            failure.spent = run.usage, run.cost
        if context.exchanges:
            failure.trace = {"path": run.path, "nodes": run.nodes}
        return failure

    def _create_result(self, final: Mapping[str, object], values: Mapping[str, Any], run: Run) -> Result:
        scopes = (values, values.get(run.path[-1], {}))
        is_lenient = "value" in final or self.output is _LAST
        resolve = self.output.resolve_known if is_lenient else self.output.resolve
        aliases = {**resolve(*scopes), **final}
        explanation = aliases.get("explanation")
        return Result(
            format_value(aliases.get("value"), self.configuration.name),
            None if explanation is None else str(explanation),
            confidence=self._check_confidence(aliases.get("confidence")),
            cost=run.cost,
            trace={"path": run.path, "nodes": run.nodes},
            model=self.model,
            prompt_hash=self.prompt_hash,
            configuration_hash=self.configuration_hash,
            usage=run.usage,
        )

    def _check_confidence(self, value: object) -> float | None:
        """Return a confidence as a float. Raises ScoringFailed for anything but a number from 0 to 1."""
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= 1:
            raise ScoringFailed(
                f"{self.configuration.name!r} gave an invalid confidence: expected a number from 0 to 1"
            )
        return float(value)

    def _budget(self, context: Context) -> Decimal | None:
        """Return the lower of the score's and the context's budget, None if neither has one."""
        own = self.configuration.budget
        allowed = [
            limit for limit in (context.budget, Decimal(str(own)) if own is not None else None) if limit is not None
        ]
        return min(allowed) if allowed else None

    def _create_caller(self, node: ModelNode, context: Context) -> ModelCaller:
        settings = Settings.of(node, self.configuration)
        self.settings.append(settings)
        replayed = context.record is None and (context.offline or settings.provider == REPLAY)
        self.live = self.live or not replayed
        # While recording, the context's model answers in place of the scorecard's own.
        answering = settings if replayed or context.model is None else settings.with_model(context.model)
        if settings not in self._models:
            self._models[settings] = (
                self._create_replay(settings, context) if replayed else providers.create_model(answering)
            )
        return ModelCaller(settings, self._models[settings], recorder=self._recorder, paid=answering.model_id)

    def _create_replay(self, settings: Settings, context: Context) -> ReplayChatModel:
        if self._cassette is None:
            self._cassette = providers.open_cassette(self.configuration.cassette, self.configuration.name, context)
        # A cassette of the store is named by its digest, so that no reply can be added to it.
        file = "FILE" if str(self.configuration.cassette).startswith("sha256:") else self._cassette.name
        words = ["run", context.card, "--score", self.configuration.name, "--record", file]
        command = f"python -m plexus {shlex.join(words)}"
        if settings.provider == REPLAY:
            command += " --model PROVIDER:NAME"
        command += f" {context.texts}"
        return ReplayChatModel(
            cassette=self._cassette,
            model_id=settings.model_id,
            parameters=settings.parameters,
            record_with=command,
        )
