"""A model's reply: the answer alone, the reason why the model stopped, and the tokens that it used."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from plexus.graph.attributions import find_retraction
from plexus.graph.denials import fold_words
from plexus.usage import NO_USAGE, Usage


def _split_words(text: str) -> frozenset[str]:
    return frozenset(re.findall(r"\S+", text))


# Each provider has its own words. A reason that is in none of these sets fails too: an unknown reason may be a cut.
_COMPLETE = _split_words("""
    stop end_turn stop_sequence tool_use tool_calls tool_call function_call complete completed eos eos_token finished
    end_of_text
""")
_CUT = _split_words("""
    length max_tokens max_output_tokens max_completion_tokens max_length model_length error_limit incomplete
    model_context_window_exceeded context_length_exceeded
""")
_FILTERED = _split_words("""
    content_filter content_filtered guardrail_intervened safety recitation blocklist spii prohibited_content
    image_safety error_toxic language model_armor jailbreak
""")
_REFUSED = _split_words("refusal refused")
_PAUSED = _split_words("pause_turn pause_run compaction")
# The model may answer if it is asked again: its output was malformed, or it was still loading.
_BROKEN = _split_words("""
    error other load unload timeout cancelled user_cancel malformed_model_output malformed_tool_use
    malformed_function_call unexpected_tool_call
""")
_TAGS = "think|thinking|thought|thoughts|reasoning|reflection|scratchpad|analysis"
# `<think>`, `<seed:think>`, Mistral's `[THINK]`, Kimi's `◁think▷`, Cohere's `<|START_THINKING|>`,
# `<|begin_of_thought|>`, MedGemma's `<unused94>thought`, and the analysis channel of gpt-oss.
_OPENING = (
    rf"<(?:\w{{1,12}}:)?(?:{_TAGS})(?:\s[^<>]*)?>|\[THINK\]|◁think▷|<\|START_THINKING\|>|<\|begin_of_thought\|>|"
    r"<unused94>|<\|channel\|>analysis<\|message\|>"
)
_CLOSING = (
    rf"</(?:\w{{1,12}}:)?(?:{_TAGS})\s*>|\[/THINK\]|◁/think▷|<\|END_THINKING\|>|<\|end_of_thought\|>|<unused95>|"
    r"<\|end\|>"
)
_THOUGHT = re.compile(rf"(?is)(?:{_OPENING})(?:(?!{_OPENING}).)*?(?:{_CLOSING})")
# The first sign of every tag, which is looked for before the rest.
_TAGGED = re.compile(rf"(?i)(?=[<\[◁])(?:{_OPENING}|{_CLOSING})")
_OPENED = re.compile(rf"(?is)(?:{_OPENING}).*")
_CLOSED = re.compile(rf"(?is)^.*(?:{_CLOSING})")
_MARKERS = re.compile(r"<\|[a-z_]+\|>(?:final|assistant)?", re.IGNORECASE)
# Tokens of a chat template that the provider left in the text: `Yes</s>`, `[/INST] Yes`.
_LEAKED_FIRST = re.compile(r"\s*(?:\[/INST\]|<bos>|<start_of_turn>model\b|<\|im_start\|>assistant\b)")
_LEAKED_LAST = re.compile(r"(?:\[/?INST\]|</s>|<e(?:os|nd_of_turn)>|<[|｜][\w▁]{2,24}[|｜]>)\s*\Z")
_FENCE = re.compile(r"\A\s*(?P<fence>```+|~~~+)[^\n`]*\n(?P<content>.*?)\n?\s*(?P=fence)\s*\Z", re.DOTALL)
_EMPTY = re.compile(r"(?i)<(answer|label|class(?:ification)?|category|result|verdict|rating|score)>\s*</\1>")
# `<answer>No</answer><reason>…</reason>`, and lines such as `answer: No` and `reason: …`
_ELEMENT = re.compile(r"<([A-Za-z]\w*)>([^<>]*)</\1>\s*")
_LINE = re.compile(
    r"[*_\"']{0,3}([^\W\d_][\w ]{0,30})[*_\"']{0,3}[^\S\n]?"
    r"(?:[:：][*_]{0,2}[^\S\n]+|：[*_]{0,2}|(?<=[一-鿿]):)(\S.*)\n*"
)
_REASON_KEYS = _split_words("""
    reason reasons reasoning explanation rationale why justification evidence confidence begründung grund erklärung
    razón razonamiento justificación explicación motivo raison explication motif motivazione spiegazione ragione
    justificativa explicação razão uitleg reden toelichting uzasadnienie wyjaśnienie powód razlaga utemeljitev razlog
    обоснование объяснение причина gerekçe açıklama 理由 原因 解释 说明 依据 根拠 説明 이유 근거 설명 السبب التفسير कारण
""")
# The rows of a Markdown table, and the first cell of one that concludes it; `Total` may be a sum.
_TABLE = re.compile(r"(?m)^[^\S\n]*\|(?:[^\S\n]*:?-+:?[^\S\n]*\|)+[^\S\n]*\n(?P<rows>(?:[^\S\n]*\|.*(?:\n|\Z))+)")
_OVERALL = re.compile(
    r"(?:overall|final)(?: (?:answer|label|class(?:ification)?|category|rating|score|verdict|result|sentiment|grade|"
    r"level|risk|priority|assessment))?|gesamt(?:urteil|bewertung)|skupna ocena|总体|综合|整体|総合|종합"
)
_RAISE = ". next: raise `max_tokens`"
_ANSWER_KEYS = _split_words("""
    classification class label answer category value result verdict rating score number final finalanswer conclusion
    decision prediction choice antwort klassifikation klassifizierung kategorie einstufung ergebnis urteil respuesta
    clasificación categoría etiqueta resultado veredicto réponse catégorie étiquette résultat risposta classificazione
    categoria risultato resposta classificação antwoord odpowiedź kategoria wynik odgovor kategorija razvrstitev
    ответ категория cevap kategori sonuç 答案 回答 分类 类别 结果 答え 分類 答复 답변 분류 정답 الإجابة التصنيف उत्तर
""")


@dataclass(frozen=True)
class Reply:
    """A model's reply.

    `content` is what the provider sent, JSON for a structured reply: cassettes record it, and later requests quote
    it. `text` is the answer alone. `stop_reason` is the provider's own word in lower case, empty if it sent none.
    `service_tier` is `batch`, `priority` or the provider's own word, and empty for the standard one.
    `log_probabilities` are (token, natural logarithm) pairs in the order of the text.
    """

    content: str
    usage: Usage = NO_USAGE
    stop_reason: str = ""
    refusal: str = ""
    thoughts: str = ""
    service_tier: str = ""
    log_probabilities: tuple[tuple[str, float], ...] = field(default=(), repr=False)

    @cached_property
    def _parts(self) -> tuple[str, str]:
        return split_thoughts(self.content)

    @property
    def text(self) -> str:
        """The answer alone: without reasoning, a code fence around all of it, and tokens of a chat template."""
        answer = _drop_leaked(self._parts[0])
        fenced = _FENCE.match(answer)
        return fenced["content"] if fenced else answer

    @property
    def reasoning(self) -> str:
        """The model's reasoning, from the provider's own field or from the text; empty if there is none."""
        return self.thoughts or self._parts[1]

    @cached_property
    def structured(self) -> Mapping[str, object] | None:
        """The JSON object that the answer contains; None if there is none, or several that differ.

        A Python literal, and elements or lines of an answer and its reasons alone, count as one.
        """
        objects = [value for value, _, _ in self._objects]
        if not objects:
            return _read_literal(self.text) or _read_fields(self.text)
        return objects[0] if all(value == objects[0] for value in objects) else None

    @cached_property
    def _objects(self) -> list[tuple[dict[str, object], int, int]]:
        return list(_find_objects(self.text))

    @property
    def surroundings(self) -> tuple[str, str]:
        """The texts before and after a structured answer; both are empty if it is all of the reply.

        Reasons that follow the answer within an object are after it.
        """
        fields = list((self.structured or {}).items())
        place = next((index for index, (key, _) in enumerate(fields) if _fold_key(key) in _ANSWER_KEYS), len(fields))
        reasons = [str(value) for key, value in fields[place + 1 :] if _fold_key(key) in _REASON_KEYS]
        before, after = "", ""
        if self._objects:
            before, after = self.text[: self._objects[0][1]], self.text[self._objects[-1][2] :]
        return before, "\n".join([after, *reasons]) if reasons else after

    @property
    def answer(self) -> str:
        """The text to read a class or a number from: a JSON object's answer if it names one, otherwise `text`.

        It is empty if the reply has an empty element for its answer, such as `<answer></answer>`, and if it begins
        with a JSON object that does not end.
        """
        if _EMPTY.search(self.text) or (self.structured is None and _is_unfinished(self.text)):
            return ""
        named = [value for key, value in (self.structured or {}).items() if _fold_key(key) in _ANSWER_KEYS]
        if len(named) != 1:
            return _read_overall(self.text)
        return named[0] if isinstance(named[0], str) else json.dumps(named[0], ensure_ascii=False)

    @property
    def quotation(self) -> str:
        """The text to read a passage from: the only text in a JSON object, otherwise `text`."""
        quoted = [value for value in (self.structured or {}).values() if isinstance(value, str)]
        return quoted[0] if len(quoted) == 1 else self.text

    @property
    def is_transient(self) -> bool:
        """Whether the same request may get a complete reply later."""
        return self.stop_reason in _BROKEN

    def find_problem(self, max_tokens: int | None = None) -> str | None:
        """Return why the reply is not a complete answer, None if it is one; `max_tokens` is the request's limit."""
        reason = self.stop_reason
        if self.refusal or reason in _REFUSED:
            return "the model refused to answer"
        if reason in _FILTERED:
            return f"the provider filtered the reply (stop reason {reason!r})"
        is_cut = reason in _CUT or (bool(max_tokens) and self.usage.output_tokens >= (max_tokens or 0))
        if is_cut and not self.text.strip() and (self.reasoning or self.usage.reasoning_tokens):
            return f"reasoning used all {self.usage.output_tokens} output tokens{_RAISE}"
        if reason in _CUT:
            return f"the reply was cut (stop reason {reason!r}, {self.usage.output_tokens} output tokens){_RAISE}"
        if reason in _PAUSED:
            return f"the model paused before its answer was complete (stop reason {reason!r})"
        return None if not reason or reason in _COMPLETE else f"the reply is incomplete (stop reason {reason!r})"


def split_thoughts(content: str) -> tuple[str, str]:
    """Return (answer, reasoning) of a text; an opening tag without a closing one makes the whole text reasoning.

    Some chat templates write the opening tag into the prompt, so a closing tag alone ends the reasoning as well.
    """
    if not _TAGGED.search(content):
        return content, ""
    thoughts: list[str] = []

    def collect(match: re.Match[str]) -> str:
        thoughts.append(match[0])
        return ""

    answer = content
    for pattern in (_THOUGHT, _CLOSED):
        answer = pattern.sub(collect, answer)
    if _OPENED.search(answer):
        return "", content
    return _MARKERS.sub("", answer).strip(), "\n".join(thoughts)


def _drop_leaked(text: str) -> str:
    """Return a text without the tokens of a chat template at its ends; behind a `<s>`, `</s>` ends words struck out."""
    while "<s>" not in text and (last := _LEAKED_LAST.search(text, max(0, len(text) - 40))):
        text = text[: last.start()].rstrip()
    first = _LEAKED_FIRST.match(text)
    return text[first.end() :].lstrip() if first else text


def normalize_reason(value: object) -> str:
    """Return a stop reason in lower case, without an enumeration's name: `FinishReason.MAX_TOKENS` is max_tokens."""
    reason = "" if value is None else str(value).rsplit(".", 1)[-1]
    return reason.strip().casefold().removeprefix("finish_reason_").replace("-", "_")


def _read_overall(text: str) -> str:
    """Return a text whose Markdown table ends with a row such as `| Overall | Mixed |`, with that row alone."""
    table = _TABLE.search(text)
    if table is None:
        return text
    name, _, value = table["rows"].rstrip().splitlines()[-1].strip(" \t|").partition("|")
    if "|" in value or not _OVERALL.fullmatch(name.strip(" *_").casefold()):
        return text
    return f"{text[: table.start()]}\n{name.strip(' *_')}: {value}\n{text[table.end() :]}"


def _build_unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) < len(pairs):
        raise ValueError("a key is repeated")  # one of its values would be lost
    return members


def _fold_key(key: str) -> str:
    return re.sub(r"[\s_-]", "", key.casefold())


def _read_literal(text: str) -> dict[str, object] | None:
    """Return the Python dictionary of constants that a text consists of: `{'answer': 'No'}`; None if it is none."""
    begin, end = text.find("{"), text.rfind("}")
    if begin < 0 or re.search(r"\w", f"{text[:begin]}{text[end + 1 :]}".replace("json", "").replace("python", "")):
        return None
    try:
        content = ast.parse(text[begin : end + 1], mode="eval").body
        if not isinstance(content, ast.Dict):
            return None
        return _build_unique(
            [
                (str(ast.literal_eval(key or content)), ast.literal_eval(value))
                for key, value in zip(content.keys, content.values, strict=True)
            ]
        )
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return None


def _read_fields(text: str) -> dict[str, object] | None:
    """Return the fields of a reply that consists of an answer and its reasons, as elements or lines; None otherwise."""
    for pattern in (_ELEMENT, _LINE):
        fields = [(match[1], match[2].strip()) for match in pattern.finditer(text)]
        names = [_fold_key(name) for name, _ in fields]
        if len(fields) < 2 or pattern.sub("", text).strip() or sum(name in _ANSWER_KEYS for name in names) != 1:
            continue
        reasons = [value for name, value in fields if _fold_key(name) in _REASON_KEYS]
        sentences = [part for value in reasons for part in re.split(r"(?<=[.!?])\s+", fold_words(value))]
        if len(reasons) == len(fields) - 1 and not find_retraction(["", *sentences]):
            return _build_unique(list(fields)) if len(set(names)) == len(names) else None
    return None


def _is_unfinished(text: str) -> bool:
    """Return whether a text begins with a JSON object that does not end, as that of a cut reply."""
    begin = re.match(r"\s*(?:```\w*\s*)?\{", text)
    return begin is not None and text.count("{") > text.count("}")


_DECODER = json.JSONDecoder(object_pairs_hook=_build_unique)


def _find_objects(text: str) -> Iterator[tuple[dict[str, object], int, int]]:
    """Yield (object, start, end) of the JSON objects in a text, in order; an object inside another is part of it."""
    end = 0
    while (start := text.find("{", end)) >= 0:
        try:
            value, end = _DECODER.raw_decode(text, start)
        except (ValueError, RecursionError):
            end = start + 1
        else:
            if isinstance(value, dict):
                yield value, start, end
