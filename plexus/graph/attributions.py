"""Whether a class or a number is another's words, an example, an alternative, a bound or a guess, or is taken back.

All patterns apply to the text of `denials.fold_words`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

PEOPLE = (
    r"(?:customer|agent|caller|client|user|guest|patient|buyer|seller|tenant|manager|operator|human|reviewer|author|"
    r"he|she|they|one|someone|somebody|anyone|anybody|everyone|everybody|"
    r"rep(?:resentative)?|speaker \d)"
)
_SOURCE = r"(?:transcript|text|message|e-?mail|letter|instructions?|prompt|template|script|line \d+)"
_SAYS = (
    r"(?:(?:would|will|should|could|might|may|can|must) (?:say|answer|reply|respond|argue|claim)|said|says?|"
    r"repl(?:y|ies|ied)|answer(?:s|ed)|respond(?:s|ed)|ask(?:s|ed)|writes?|wrote|states?|stated|reads?)"
)
_CLAIMS = (
    r"(?:said|says?|states?|stated|thinks?|thought|believe[sd]?|claim(?:s|ed)?|hope[sd]?|promise[sd]?|assure[sd]?|"
    r"insist(?:s|ed)?(?! on)|suggest(?:s|ed)?|assume[sd]?|argue[sd]?|report(?:s|ed)?|guess(?:es|ed)?|"
    r"told (?:me|us|him|her|them)|considers?|deems?|labels?|marks?)"
)
_MARKS = r"[\s\"'*`\[(]*"
_COMMANDS = r"(?:answer|say|choose|select|reply|respond|output|return|write|label|classify|rate)"
_NEW_CLAUSE = r"(?:so|therefore|thus|hence|because|since|which|but|and|wants?|wanted|needs?|asks?|asked)"
_SPOKEN = re.compile(
    rf"\b{PEOPLE}s? (?:\w+ )?{_SAYS}(?: that| him| her| them| with(?: an?)?(?: \w+)?)?[\s:,\"'*`(]*\Z"
    rf"|\b{_SOURCE} {_SAYS}\W*(?:(?:to )?{_COMMANDS}\W*)?\Z"
    # `The agent claims that it is Resolved`, but not `The customer says she was charged twice (Billing)`.
    rf"|\b{PEOPLE}s? (?:\w+ )?{_CLAIMS}(?:\s+(?!{_NEW_CLAUSE}\b)\w+){{0,5}}[\s\"'*`]*\Z"
    rf"|\b{PEOPLE}s (?:answer|reply|response)\b[^.;:]*\Z"
    rf"|\baccording to (?:the )?{PEOPLE}\b[^.;:]*\Z"
    rf"|\b(?:some|others|many|most people|people|critics) (?:\w+ )?(?:say|argue|think|claim)\b[^.;:]*\Z"
    # `[00:12] Customer: Yes` quotes a turn.
    rf"|\A\W*(?:[\[(]?\d\d?:\d\d(?::\d\d)?[\])]?\W*)?(?:{PEOPLE}|assistant)(?: \d+)?\s*(?:[:>]|- )[\s\"'*`(]*\Z"
    r"|\"[^\"]*\",?(?: (?:which|that))? (?:means?|meaning|translates? (?:to|as)|stands for|is \w+ for)\W*\Z"
)
_SPOKEN_AFTER = re.compile(
    rf"[\"'*`)\]]*,?[\"'*`)\]]*\s+(?:(?:the )?{PEOPLE} {_SAYS}|{_SAYS} (?:the )?{PEOPLE}"
    rf"|(?:is|was) (?:the |an? )?{PEOPLE}s? (?:answer|reply|response|words?))\b"
    rf"|[^.;]*,\s*(?:the |an? )?{PEOPLE}s? {_CLAIMS}\W*\Z"
)
_COMMANDED = re.compile(
    r"\b(?:ask(?:s|ed)?|want(?:s|ed)?|told|tells?|instruct(?:s|ed)?|expect(?:s|ed)?|request(?:s|ed)?|requir(?:es|ed)) "
    rf"(?:(?:me|you|us|him|her|it|them|the \w+) )?to {_COMMANDS}\b[^.;:,]*\Z"
    rf"|\A\W*(?:please {_COMMANDS}|insert|type|enter|fill in|ignore|disregard|forget|"
    r"please (?:provide|share|send|give|supply|paste))\b[^.;:]*\Z"
)
_NOUNS = (
    "(?:answer|choice|guess|label|class|classification|category|option|candidate|verdict|rating|score|decision|"
    "conclusion|pick|match|fit|response|grade|topic|interpretation)s?"
)
_LESSER = (
    "(?:least|second|third|next|other|previous|prior|earlier|former|old|original|initial|draft|rejected|discarded|"
    "eliminated|dismissed|wrong|incorrect|possible|potential|plausible|alternative|tempting|fallback|backup|example|"
    "sample|expected|default|worst)"
)
# A label whose value is not the answer: `Runner-up: Billing`, `Least likely: Billing`, `For example, Yes`.
_LABELS = (
    r"eliminated|rejected|discarded|dismissed|excluded|alternatives?|alternatively|runner-? ?up|second(?:ly)?|formerly|"
    r"previously|earlier|originally|examples?|samples?|template|translated|translation[^:]*|quoted?|instructions?|"
    r"prompt|(?:first |rough )?drafts?|placeholders?|previously \w+|"
    r"alternative[nr]?|beispiel|zum beispiel|exemple|par exemple|ejemplo|por ejemplo|esempio|ad esempio|exemplo|"
    r"por exemplo|voorbeeld|bijvoorbeeld|przykład|na przykład|пример|например"
)
_ALTERNATIVE = re.compile(
    rf"\b(?:{_LESSER} (?:\w+ )?(?:{_NOUNS}|likely|probable|fitting|suitable|appropriate|best)|first (?:answer|guess))"
    rf"(?: (?:\w+ ){{0,3}}?(?:is|was|were|are|would be|could be|might be))?[:=>→-]*{_MARKS}\Z"
    rf"|(?:\A|[\s\"'*`(\[{{,;.#>|-])(?:{_LABELS})\s*(?:[:=,→>]|- )+{_MARKS}\Z"
    r"|\b(?:for (?:example|instance)|eg|zb|such as)[\s:,\"'*`]*\Z"
)
# `No trace of a Violation`, `a far cry from Positive`, but `a rating of Positive`.
_GOVERNED = re.compile(
    rf"(?<!\b\w)(?<!favor )(?<!favour )(?<!case )(?<!instance )(?<!matter )(?<!kind )(?<!type )(?<!form )(?<!level )"
    rf"(?<!sentiment )(?<!tone )\b(?:of|from|against)(?: an?| the| any)?{_MARKS}\Z"
)
_SUPPORTED = re.compile(
    r"\b(?:evidence|arguments?|case|reasons?|basis|support|grounds|justification)(?: \w+){0,4} for(?: an?| the)?"
    rf"{_MARKS}\Z|\bdepends on\b[^.;]*\Z"
)
_NAMED = re.compile(rf"\b{_NOUNS} of(?: an?| the)?{_MARKS}\Z")
# `He tried to be Compliant`, but `It appears to be Compliant` and `I have to say Yes`.
_INFINITIVE = re.compile(
    r"\bto (?:be|become|get|call|say|answer|label|consider)(?: (?:it|this|that|him|her|them|the (?:call|agent|text)))?"
    rf"(?: an?| the)?{_MARKS}\Z"
)
_SETTLED = re.compile(
    r"\b(?:seem|appear|prove|turn|consider|judge|find|found|deem|believe|determin|assess|conclud|classif|label|rate|"
    r"hold|"
    r"tak|ha[sdv]|safe|fair|reasonable|right|correct|like|inclin|going|appropriate|accurate|best|forced|able|need not|"
    r"enough|confident|comfortable|lead|leans?|tend)\w*(?: \w+){0,3} \Z"
)
_SURFACE = (
    r"(?:at first (?:sight|glance|blush)|on the surface|superficially|prima facie|if you squint|auf den ersten blick|"
    r"op het eerste gezicht|à première vue|a primera vista|a prima vista|à primeira vista|na pierwszy rzut oka|"
    r"на первый взгляд|ilk bakişta|vid första anblick|للوهلة الأولى|पहली नज़र में|पहली नज़र में)"
)
_MENTIONED = re.compile(
    rf"\bthe (?:word|term|expression|phrase|string){_MARKS}\Z|\b(?:title|heading|headline|subject line|titel|betreff|"
    rf"titre|título|titolo|tytuł|заголовок)\b[^.;]*\Z"
    rf"|{_SURFACE}\W[^.]*\Z|(?:一見|乍一看|乍看|표면적으로|언뜻|标题|標題|タイトル|件名|제목)[^。；;]*\Z|"
    rf"(?<!\w)(?:başliği|العنوان|शीर्षक) [^.;]*\Z"
    # Another's case: `Her previous case is Resolved`, `Other reviewers are Positive`.
    r"|\A\W*(?:(?:the|her|his|their|its|my|our|all) )?(?:previous|prior|earlier|last|other|former)\b"
    r"[^,.;:]*\b(?:is|was|are|were)\b[^,.;:]*\Z"
)
# `On a scale where 1 is Negative`, `第一句是正面`
_PARTIAL = re.compile(
    r"\b(?:scale|skala|échelle|escala|scala|lestvic[ai])\b[^,;:.]*\Z"
    r"|(?:第[一二三四五\d]+|最初の|最後の|首)\w{0,4}(?:是|为|為|は|が)\W*\Z|(?:첫|마지막) ?\w+ ?\w*[은는이가] \W*\Z"
)
# `A Violation was averted` and `Saying Yes would be dishonest`, but `Billing is the best fit`.
_SUBJECT_AFTER = re.compile(
    rf"[\"'*`)\]]*(?: (?:here|there|now|{_NOUNS}))? "
    r"(?:is|was|are|were|would|will|could|can|might|may|had|appears|occurs|requires?|needs|"
    r"means|implies|presupposes|assumes)"
    r"(?>(?: (?:also|clearly|still|probably|certainly|definitely|surely|therefore|thus|be|seem|make|have been|been))*) "
    r"(?!(?:the|my|our|it|what (?:i|fits)|(?:more |most )?(?:right|correct|best|better|appropriate|applicable|fitting|"
    r"accurate|true|justified|warranted|suitable|sensible|clear|evident|obvious|present|supported|confirmed|chosen|"
    r"selected|expressed|fit|apply|suit|work|assigned|given)|because|since|as|for)\b)\w"
)
_BOUND = re.compile(
    r"\b(?:at (?:least|most|best|worst)|(?:more|less|fewer|higher|lower|greater|better|worse) than|above|below|up to|"
    rf"mindestens|höchstens|au (?:moins|plus)|al (?:menos|máximo)|almeno|al massimo|minstens|hoogstens){_MARKS}\Z"
)
_BOUND_AFTER = re.compile(
    r"[\"'*`)\]]*\s+(?:or (?:more|less|fewer|higher|lower|above|below|better|worse)|at (?:best|most|least|worst))\b"
)
_SHARE = (
    r"(?<![\d.,])(?:0(?:[.,][0-4]\d*)?(?![\d.,])\s*(?:%|percent)?|[1-4]?\d(?:[.,]\d+)?\s*(?:%|percent)|"
    r"0\s*/\s*\d+|1\s*/\s*(?:[3-9]|\d\d)|[2-4]\s*/\s*10(?!\d)|2\s*/\s*5(?!\d))"
)
_GUESS = re.compile(
    r"\b(?:could|might|may)(?: (?:also|well|perhaps|just|possibly))* (?:be|say|answer|call it|be called)(?: an?| the)?"
    rf"{_MARKS}\Z"
    r"|\b(?:könnte|pourrait|podría|potrebbe|poderia|zou kunnen|может быть|mógłby|mohl[oa]?)\W+(?:\w+\W+){0,2}\Z"
    r"|\bcould go either way\W*\Z|\btoss-?up\W*\Z"
    rf"|{_SHARE}\s*(?:chance|probability|likelihood|possibility|sure|certain(?:ty)?|confiden(?:t|ce)|likely)\b[^.;]*\Z"
)
# `Leaning Yes, but I am not sure`, but `Yes, and I am not sure why he asks`.
_UNSURE = (
    r"(?:(?:(?:i|we) (?:cant|cannot) be|(?:im|i am|we are) not)(?: \w+){0,2}? (?:sure|certain)|"
    r"(?:is|its|seems) (?:hard|difficult|impossible) to (?:tell|say|know|decide|be (?:sure|certain))|"
    r"(?:not|isnt)(?: \w+)? enough \w+ to (?:tell|say|know|decide|be (?:sure|certain))|"
    r"insufficient \w+ to (?:tell|say|know|decide|be (?:sure|certain))|bin mir(?: \w+)? nicht sicher|"
    r"no estoy(?: \w+)? segur[oa]|je ne suis pas(?: \w+)? sûre?|non sono(?: \w+)? sicur[oa]|não tenho certeza|"
    r"nie jestem pew(?:ien|na)|nisem(?: \w+)? prepričana?|weet het niet zeker|не уверена?)"
    r"(?=\W*\Z|\W*[.,;:)]| (?:without|yet|here|though|until|because|since|from|about (?:it|this|that))\b)"
)
_DOUBTED_AFTER = re.compile(
    r"[\"'*`)\]]*(?:\s+(?:count|check|test|score|flag|rate|signs?|cases?)\b)?"
    r"(?:\s*(?:[:=,|;(>→-]\s*|\b(?:is|was) )+(?:p(?:rob(?:ability)?)?\s*[:=]\s*)?"
    rf"[\"'*`\[]*(?:{_SHARE}|(?:very |quite |rather )?(?:low|slim|small|minimal|negligible|nil|zero|passed|clean))"
    r"[\"'*`)\]!.|}\s]*\Z"
    rf"|\s+(?:{_SHARE}|passed|clean)[\"'*`)\]!.|}}\s]*\Z)"
    r"|\s+(?:it|this|that) (?:(?:is|was) (?:\w+ )?not|isnt|wasnt|aint)\b"
    r"|\s+(?:only (?:for|in|if|when)\b|(?:for|in|on|to) [^.;,]*\bonly\b)"
    rf"|\s+(?:is|was|were) (?:my|the|an?|our) (?:{_LESSER}|first) (?:\w+ )?{_NOUNS}\b"
    r"|(?:\s+\w+){0,2}\s+(?:is|was|would be|seems) (?:\w+ )?(?:a stretch|generous|debatable|questionable|"
    r"far-fetched|misleading|an? (?:exaggeration|overstatement|mistake|error)|hard to (?:justify|defend|support))"
    r"|,?\s+(?:in (?:theory|name only|your dreams)|only in name|on paper|my foot|as if|or (?:maybe )?not\b|yeah right)"
    rf"|\s+(?:except|apart from|aside from|other than)\b|,?\s+{_SURFACE}\b"
    r"|[^.;,]*\b(?:only (?:if|when)|i(?:d| would) (?:have )?expect(?:ed)?)\b"
    r"|[^.]*\b(?:i|we) (?:cant|cannot) (?:tell|say|assess|determine|judge|know)\b"
    rf"|[^.\"]*\b{_UNSURE}|\W*not(?: \w+){{0,2}} (?:sure|certain)\b"
    r"|\s+by (?:the|another|our|their|an?) (?:\w+ )?(?:bot|system|reviewer|tool|algorithm|classifier|auditor|annotator|"
    r"router|software|filter)\b"
    r"|\s*(?:→|->|=>)\s*\w"
    r"|[^.;]*\b(?:but|yet|however),? the (?:question|prompt|task|criterion) asks?\b|[^.]*\byou asked\b"
    r"|[^.;]*\b(?:but|yet|however)\b[^.;]*(?:\bopposite\b|\b(?:answer|that|this) (?:is|was|would be) "
    r"(?:wrong|incorrect|false|mistaken|misleading)\b)"
    # `The tone is Positive, but the content is not.`
    r"|,? (?:but|yet|though|although|while|whereas) (?:\w+ ){1,4}(?:(?:is|are|was|were|does|do|did) not|"
    r"(?:is|are|was|were|does|do|did)nt)\W*\Z|, ?(?:但|可是|不过|然而)\w*不[是然]?\W*\Z"
    r"|,?\W*(?:or rather|scratch that|strike that|just kidding|only joking)\b"
    r"|\s+(?:\w+\s+){0,3}(?:came up (?:empty|short)|(?:but|and) (?:found|saw) (?:none|nothing|no))\b"
)
# A sentence that takes back the answer before it: `Scratch that.`, `Correction: …`, `Hmm, on second thought, …`.
_RETRACTION = re.compile(
    r"\A\W*(?:(?:hm+|uh|um|er|oh|sorry|actually|no|but|well|ok|okay)\b\W*)*(?:"
    r"(?:scratch|strike|ignore|disregard|forget) (?:that|this|the above|my)\b"
    r"|on (?:second thoughts?|reflection|closer (?:look|inspection|reading))\b"
    r"|let me (?:reconsider|rethink|correct|revise|rephrase|think again|try again|start over)\b"
    r"|i should(?:nt| not) (?:guess|say|assume|answer)\b"
    r"|i (?:misread|misspoke|misunderstood|stand corrected|was (?:wrong|mistaken)|made an? (?:mistake|error)|"
    r"(?:take|took) (?:it|that) back|mean the|meant the|retract|changed? my mind|need to (?:reconsider|correct))\b"
    r"|(?:correction|edit|update|erratum|korrektur|corrección|correzione|correção|rectification|correctie|korekta|"
    r"исправление|поправка|düzeltme|訂正|更正|정정)\s*[:：-]"
    r"|(?:my (?:mistake|bad|error))\b|(?:sorry|(?:my )?apologies)\W+(?:that|this|it|i) (?:is|was)\b"
    r"|(?:\w+\s*:\s*)?(?:this|that|the|my)(?: \w+)? (?:answer|label|class|reply|verdict) (?:is|was) (?:wrong|incorrect|"
    r"false|mistaken|invalid)\b"
    r"|(?:verdict|review|check|result|assessment|evaluation|status)\s*:\s*(?:incorrect|wrong|false|invalid)\b"
    r"|(?:wait|hold on|oops|never ?mind)\s*(?:[,.!:;-]|no\b|\Z)|or rather\b|just kidding|only joking|as if\W*\Z"
    r"|(?:it depends|doch nicht|besser gesagt|mejor dicho|ou plutôt|anzi)\b"
    r"|(?:ich habe mich (?:geirrt|verlesen|vertan)|me (?:equivoqué|he equivocado)|je me suis trompée?|"
    r"mi sono sbagliat[oa]|me enganei|pomylił[ae]m się|zmotila? sem se|я ошибл?(?:ся|ась)|我(?:错了|弄错|看错)|間違え))"
)
# The model declines, or asks for the text: `No, I cannot help with that.`, `Yes, I would be happy to help!`
_POLITE = (
    r"\A\W*(?:(?:yes|no|ok(?:ay)?|sure|sorry|(?:im|i am) (?:\w+ )?(?:sorry|afraid)|unfortunately|of course|certainly|"
    r"absolutely|no problem|apologies|but|however|and|as an? (?:\w+ ){1,4}(?:model|ai|assistant))\b\W*)*"
)
_UNABLE = re.compile(
    rf"{_POLITE}i (?:cannot|can not|cant|wont|will not|am (?:not able|unable) to|do not|dont|am not (?:comfortable|"
    r"permitted|allowed)) (?:\w+ )?(?:help|assist|comply|fulfill?|continue|engage|answer|classify|analy[sz]e|process|"
    r"evaluate|assess|provide|do|see (?:any|the|an?) (?:text|review|transcript|message)|"
    r"have (?:access|enough|the text))\b"
)
_OFFERED = re.compile(
    rf"{_POLITE}(?:"
    r"(?:i can|i could|id be|i would be|im|i am|(?:more than )?happy|glad)(?: (?:certainly|definitely))?"
    r"(?: (?:more than )?(?:happy|glad|ready|here))?(?: to)? (?:help|assist)\b"
    r"|(?:please|could you|can you|would you)(?: please)? (?:share|provide|send|paste|supply|upload|give)\b"
    r"|(?:send|give|show) me (?:the|your|a)\b)"
)
_UNDECIDED = re.compile(
    rf"{_POLITE}(?:(?:i|we) (?:cannot|can not|cant|could not|couldnt) (?:\w+ )?"
    rf"(?:tell|say|determine|judge|know|decide)\b|(?:it )?{_UNSURE})"
)
_DENYING_KEY = re.compile(
    r"(?:\A|[\W_])(?:not|old|least|second|runner|worst|alternatives?|(?:reject|exclud|eliminat|discard|dismiss)ed|"
    r"previous|"
    r"prior|former|earlier|original|initial|draft|examples?|sample|expected|question|prompt|options|choices|input|"
    r"transcript|quotes?|opposite|unlikely|wrong|incorrect)(?:[\W_]|\Z)"
)


def is_attributed(before: str, after: str, *, is_number: bool = False) -> bool:
    """Return whether the words around a class or number in a sentence make it anything but the reply's own answer.

    `2 (low)` is a number, and `Yes (low)` is no answer.
    """
    if any(
        pattern.search(before)
        for pattern in (_SPOKEN, _COMMANDED, _ALTERNATIVE, _BOUND, _GUESS, _MENTIONED, _SUPPORTED)
    ):
        return True
    if _SPOKEN_AFTER.match(after) or _BOUND_AFTER.match(after):
        return True
    return not is_number and (
        _DOUBTED_AFTER.match(after) is not None
        or _SUBJECT_AFTER.match(after) is not None
        or _PARTIAL.search(before) is not None
        or (_GOVERNED.search(before) is not None and not _NAMED.search(before))
        or any(not _SETTLED.search(before[: each.start()]) for each in _INFINITIVE.finditer(before))
    )


def is_denying_key(name: str) -> bool:
    """Return whether the value of a JSON key in lower case is not the answer, as that of `rejected` or `old_label`."""
    return _DENYING_KEY.search(name) is not None


def is_declined(sentences: Iterable[str]) -> bool:
    """Return whether a reply declines to answer, or asks for the text, instead of answering."""
    return any(_UNABLE.match(sentence) or _OFFERED.match(sentence) for sentence in sentences)


def is_undecided(sentences: Iterable[str]) -> bool:
    """Return whether a sentence beside an answer says that the model cannot give it; an offer of help does not."""
    return any(_UNABLE.match(sentence) or _UNDECIDED.match(sentence) for sentence in sentences)


def find_retraction(sentences: Sequence[str]) -> int:
    """Return the index of the last sentence that takes back what was said before it, 0 if there is none."""
    return next((index for index in range(len(sentences) - 1, 0, -1) if _RETRACTION.match(sentences[index])), 0)
