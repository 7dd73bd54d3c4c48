"""Translate processors: `{class: …, parameters: {…}}` of the original, with its parameters beside the class here."""

from __future__ import annotations

from collections.abc import Mapping

from plexus.document import Yaml
from plexus.original.notes import Notes

_NAMES = {
    "FilterCustomerOnlyProcessor": "CustomerTurnsOnly",
    "RemoveSpeakerIdentifiersTranscriptFilter": "RemoveSpeakerIdentifiers",
    "RemoveStopWordsTranscriptFilter": "RemoveStopWords",
    "ExpandContractionsProcessor": "ExpandContractions",
    "AddEnumeratedSpeakerIdentifiersTranscriptFilter": "EnumerateSpeakers",
    "RelevantWindowsTranscriptFilter": "RelevantWindows",
    "DeepgramFormatProcessor": "TranscriptFormat",
    "DeepgramTimeSliceProcessor": "TimeSlice",
}
# Processors of a data set before training: they choose rows and columns, which a file of labelled texts has already.
_OF_DATA = (
    "ByColumnValueDatasetFilter",
    "ColumnDatasetFilter",
    "DownsampleClassDatasetFilter",
    "MergeColumnsDatasetFilter",
)
_KEYS = {
    "RelevantWindows": {
        "keywords": "keywords",
        "case_sensitive": "case_sensitive",
        "fuzzy_match": "fuzzy",
        "prev_count": "before",
        "next_count": "after",
    },
    "TranscriptFormat": {"include_timestamps": "timestamps"},
    "TimeSlice": {"start": "from", "end": "to"},
}
_TRANSCRIPT = (
    "reads `metadata.transcript`, a list of {speaker, text, start, end}, and not `metadata.deepgram`; it writes a line "
    "for each turn, with its speaker"
)
_CHANGES = {
    "CustomerTurnsOnly": "a transcript without a turn of the customer fails, and so does one without speakers; the "
    "original scores an empty text, or all of it, and joins the turns to one line",
    "RemoveSpeakerIdentifiers": "only speakers of a transcript are removed; the original removes every single word "
    "before a colon at the beginning of a line or a sentence",
    "RemoveStopWords": "punctuation does not keep a word; the original leaves `not,` and removes `not`",
    "EnumerateSpeakers": "speakers are `Speaker 1`, `Speaker 2`; the original writes `Speaker A`, `Speaker B`",
    "TranscriptFormat": _TRANSCRIPT,
    "TimeSlice": _TRANSCRIPT,
}


# Stop words of the original that stay here by default, because they reverse a meaning.
_NEGATIONS = (
    *("no", "nor", "not", "ain't", "aren't", "couldn't", "didn't", "doesn't", "don't", "hadn't", "hasn't", "haven't"),
    *("isn't", "mightn't", "mustn't", "needn't", "shan't", "shouldn't", "wasn't", "weren't", "won't", "wouldn't"),
)
# The original always counts lines, whatever its `window_unit` is.
_ADDED: dict[str, dict[str, Yaml]] = {
    "RelevantWindows": {
        "unit": "lines",
        "whole_words": False,
        "separator": "\n...\n",
        "edges": True,
        "placeholder": "",
    },
    "CustomerTurnsOnly": {"speakers": ["customer", "contact", "caller", "client", "guest", "patient"]},
    "RemoveStopWords": {"also": [*_NEGATIONS]},
}
_UNUSED = ("window_unit", "classifier")


def translate_processors(listed: Yaml, notes: Notes) -> Yaml:
    """Return our processors; anything but a list is returned unchanged, for the validation to report."""
    if not isinstance(listed, list):
        return listed
    translated = [_translate(processor, notes.at(place)) for place, processor in enumerate(listed)]
    return [processor for processor in translated if processor is not None]


def _translate(processor: Yaml, notes: Notes) -> Yaml:
    if not isinstance(processor, Mapping) or not isinstance(name := processor.get("class"), str):
        return processor
    if name in _OF_DATA:
        notes.add("dropped", f"{name} prepares a data set for training, and does not touch a text that is scored")
        return None
    if name == "AddUnknownSpeakerIdentifiersTranscriptFilter":
        message = (
            f"{name} has no counterpart. next: use EnumerateSpeakers, which names speakers without identifying them"
        )
        notes.add("unsupported", message, "class")
        return None
    ours = _NAMES.get(name, name)
    if ours == name:
        return dict(processor)
    notes.add("renamed", f"{name} is {ours}", "class")
    if ours in _CHANGES:
        notes.add("changed", _CHANGES[ours], "class")
    settings = processor.get("parameters")
    parameters = {**(settings if isinstance(settings, Mapping) else {}), **processor}
    translated: dict[str, Yaml] = {"class": ours}
    translated |= _ADDED.get(ours, {})
    if ours == "RelevantWindows" and "keywords" not in parameters:
        advice = "write the words that it looks for as `keywords`"
        notes.add("unsupported", f"the `classifier` of {name} has no counterpart. next: {advice}", "class")
        translated["keywords"] = ["unsupported"]
    return translated | _translate_parameters(ours, parameters, notes.at("parameters"))


def _translate_parameters(ours: str, parameters: Mapping[str, Yaml], notes: Notes) -> dict[str, Yaml]:
    translated: dict[str, Yaml] = {}
    unused = _UNUSED if ours == "RelevantWindows" else ()
    for key, value in parameters.items():
        if key in ("class", "parameters", *unused):
            continue
        known = _KEYS.get(ours, {}).get(key)
        if key == "fuzzy_threshold" and isinstance(value, (int, float)):
            translated[key] = value / 100 if value > 1 else value
        elif known:
            translated[known] = value
        else:
            notes.add("dropped", f"{ours} has no parameter {key!r}", key)
    return translated
