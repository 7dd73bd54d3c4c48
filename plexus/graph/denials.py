"""Whether words around a class or a number take it back: negations, questions, conditions, quoted speech, crosses.

All patterns apply to the text of `fold_words`. They err on the side of denial: a denied answer is asked for again, and
a misread one is stored.
"""

from __future__ import annotations

import functools
import re

from plexus.graph.attributions import is_attributed, is_denying_key
from plexus.text import fold

#: Letters, digits, and the marks of other scripts' words, which `\w` does not match; for a character class.
LETTERS = (
    r"\w\u0300-\u036f\u0591-\u05c7\u0610-\u061a\u064b-\u065f\u0670\u06d6-\u06ed\u0900-\u0963\u0971-\u0dff\u0e31-\u0e4e"
    r"\u0eb1-\u0ecd\u1036-\u109d\u17b4-\u17d3"
)
# Characters before and after a class that can deny it; the limit keeps long replies linear.
_BEFORE, _AFTER = 240, 120
_NEGATIONS = (
    # English
    "not|non|never|neither|nor|cannot|cant|couldnt|isnt|arent|wasnt|werent|doesnt|dont|didnt|wont|wouldnt|shouldnt|"
    "hasnt|havent|hadnt|aint|mustnt|neednt|hardly|scarcely|nobody|nothing|nowhere|no longer|in no way|by no means|"
    "under no circumstances|at no (?:point|time)|lacks?|lacking|unable|impossible|unlikely|unsure|uncertain|"
    "doubt(?:s|ful)?|bezweif\\w+|zweifle|betwijfel|tvivla[r]?|tviler|tvivler|dudo|dubito|duvido|wątpię|сомнева\\w+|"
    "exclud(?:e[sd]?|ing)|reject(?:s|ed|ing)?|rul(?:e[sd]?|ing) out|refus(?:e[sd]?|ing)|"
    "den(?:y|ies|ied)|fail(?:s|ed|ing)? to be|ceas(?:e[sd]?|ing) to|avoid(?:s|ed|ing)?|"
    # German, Dutch, Danish, Norwegian, Swedish
    "nicht|kein(?:e[nmrs]?)?|nie(?:mals|mand)?|nichts|weder|keineswegs|kaum|scheidet aus|niet|geen|nooit|noch|"
    "nauwelijks|ikke|inte|ej|ingen|inget|aldrig?|hverken|varken|"
    # French, Spanish, Italian, Portuguese, Romanian
    "pas|jamais|rien|nada|niente|nulla|niets|nic|ничего|ничто|aucune?|ni|nullement|guère|nunca|jamás|ning[úu]n[ao]?|"
    "tampoco|nadie|"
    "no (?:es|era|sea|ser[íi]a|está|creo|puedo|podría|diría|considero|parece|corresponde|procede)|"
    "mai|nessun[ao]?|né|neppure|nemmeno|mica|não|nem|nenhuma?|ninguém|nu (?:e|este|sunt|pare|cred|pot)|"
    # Slavic languages, Hungarian, Finnish, Turkish, Greek
    "nie|nigdy|ani|żad(?:en|na|ne)|ne|není|nikdy|nikoli|nije|не|нет|ни|никогда|нельзя|вряд|ні|ніколи|немає|nem|sem|"
    r"soha|nincs|ei|eivät|tuskin|hiç|asla|değil\w*|δεν|μην?|όχι|ούτε|"
    # Arabic, Hebrew, Persian, Hindi, Vietnamese, Indonesian
    "ليس|ليست|لا|لم|لن|غير|לא|אינו|אינה|אין|نیست|نه|नहीं|न|không|chẳng|chưa|tidak|bukan|belum"
)
# These deny only what follows: `a Positive review without complaints`.
_PREPOSITIONS = (
    "without|far from|away from|short of|less than|anything but|opposite of|instead of|rather than|other than|except|"
    "wrong|false|incorrect|premature|hesita(?:te|nt)|tempt(?:ed|ing)|(?:hard|difficult) to|too (?:early|soon)|"
    "(?:first|initial) (?:instinct|impression|thought)|initially|apart from|suppos(?:e|ing)|lets (?:say|assume)|"
    "started (?:out|off)|about to be|"
    "retract(?:s|ed)?|withdr[ae]wn?s?|(?:took|take|taking) back|revok(?:e[sd]?|ing)|overturn(?:s|ed)?|"
    "(?:chang|switch|mov)(?:e[sd]?|ing|ed) (?:away )?from|used to|"
    "previously (?:answered|said|labell?ed|classified|rated|chose|marked)|everything but|struggle[sd]? to|"
    "(?:a|no) stretch(?: to)?|few (?:would|could|people)|little (?:that|to)|fails? the \\w+ (?:for|of)|"
    "falls? short of|calling (?:it|this|that)|"
    "(?:free|clear) (?:of|from)|(?:de)?void of|(?:i|we) (?:check|search|look)(?:ed|ing)? for|"
    "(?:absence|lack|definition|meaning|possibility|question|criteria) (?:of|for)|"
    "(?:should|could|would|might) have(?: been)?|(?:needs?|ought|supposed|expected|want(?:s|ed)?|aim(?:s|ed)?|"
    "hope[sd]?|ask(?:s|ed)?|request(?:s|ed)?) to be|"
    "ohne|(?:an)?statt|alles andere als|zonder|uden|utan|uten|sans|plutôt que|au lieu de|sin|en (?:lugar|vez) de|senza|"
    "invece di|em vez de|bez|zamiast|без|вместо|ilman|χωρίς|بدون|بلا|בלי|बिना|tanpa"
)
_DEGREES = (
    "zero|0|half|more|not (?:so|that|as)|as good as|(?:close|next) to|approaching|(?:on the )?verge of|"
    "(?:verging|bordering) on|hop(?:e[sd]?|ing) for|expect(?:s|ed|ing)?|wish(?:es|ed)? for|fear(?:s|ed)?|"
    "(?:un|ir)rel(?:at|ev)\\w+ to|outside(?: of)?|beyond|so-?called|allegedly|supposedly|reportedly|purportedly|"
    "ostensibly|nominally|theoretically|seemingly|formerly|"
    "in (?:theory|principle),?|(?:yet|still|due|going) to be|(?<!answer )(?<!choice )(?<!verdict )will(?: soon)? be|"
    "dis|un(?=-)|(?:(?<=is )|(?<=was )|(?<=an )|(?<!\\w ))un|mis|anti|pre|partial(?:ly)?|partly|"
    "almost|nearly|borderline|semi|pseudo|quasi|teilweise|beinahe|fast|"
    "presque|partiellement|casi|"
    "parcialmente|parzialmente|quase|gedeeltelijk|bijna|częściowo|prawie|частично|почти|kismen|neredeyse"
)
# The clause of these is denied to its end: `I do not think that the right answer is Yes`.
_OPINIONS = (
    "think|believe|say|see|consider|feel|find|agree|conclude|call|classify|label|recommend|choose|determine|tell|know|"
    "confirm|sure|certain|clear|possible|that|glaube|denke|würde|sagen|sicher|crois|pense|dirais|sûr|que|creo|diría|"
    "seguro|credo|direi|sicuro|che|acho|diria|denk|zeggen|думаю|считаю|уверен|कि|أعتقد"
)
_CONJUNCTIONS = "dass|daß|что|чтобы|że|żeby|by|hogy|ότι|dat|da|že"
_WRONG = (
    "wrong|incorrect|false|inaccurate|inappropriate|inapplicable|unsupported|excluded|out of the question|falsch|"
    "unzutreffend|ausgeschlossen|faux|fausse|inexacte?|incorrect[oa]|fals[oa]|errad[oa]|sbagliat[oa]|onjuist|fout|"
    "неверно|неправильно|yanliş|błędn[aey]|নয়|না|خطأ|गलत"
)
_IDIOMS = re.compile(
    r"\b(?:(?:there is |theres )?no(?:t a)? (?:doubt|question)|without (?:a |any )?doubt|not only|kein(?:en)? zweifel|"
    r"ohne (?:jeden )?zweifel|sans (?:aucun )?doute|sin (?:ninguna )?duda|senza (?:alcun )?dubbio|sem dúvida|"
    r"zonder twijfel|bez wątpienia|без сомнения|if (?:(?:i|we) (?:have|had|were) to|(?:i|we) must|forced|pressed))\b"
)
_FIRST, _LAST = f"(?<![{LETTERS}])", f"(?![{LETTERS}])"
_SPACE = r"(?:[\s\"'*`(]|(?<=\w)-(?=\w))+"
_BREAK = r"(?:so|therefore|thus|hence|because|since|which|but(?!\W*\Z)|and (?:is|was|so|the|this|it))\b"
_WORD = rf"(?:(?!{_BREAK})[{LETTERS}]+{_SPACE})"
_SCOPE = (
    rf"{_SPACE}(?:{_WORD}{{0,6}}|{_WORD}{{0,2}}(?:{_OPINIONS}){_SPACE}{_WORD}*)"
    rf"|(?:{_SPACE}{_WORD}{{0,4}}[{LETTERS}]+)?, (?:{_CONJUNCTIONS}){_SPACE}{_WORD}*"
    r"|,[^,]*,\s*"
)
_DENIED_BEFORE = re.compile(
    rf"{_FIRST}(?:(?:{_NEGATIONS}|{_PREPOSITIONS})(?:{_SCOPE})|no{_SPACE}{_WORD}{{0,2}}|"
    rf"(?:{_DEGREES}){_SPACE}(?:(?:an?|the){_SPACE})?)\Z"
    # In `not rude, dismissive, or Negative` the commas do not end what is denied.
    rf"|{_FIRST}(?:{_NEGATIONS}|no){_LAST}[^.;:]*,?\s(?:or|nor|oder|ou|o|of|lub|или){_SPACE}\Z"
    r"|\A\W*(?:to (?:be|get)|what an?|(?:checked|searched|looked|screened|scanned) for(?: an?| any)?)\W*\Z"
    r"|(?:不认为|不認為|不觉得|不覺得|难说|難說|不能说|不能說|并非|並非|不会是|不會是)[^，。；,;]*\Z"
)
_ENDING = re.compile(rf"{_FIRST}(?:{_NEGATIONS}|{_PREPOSITIONS}|no)\Z")
_NEGATION = re.compile(f"{_NEGATIONS}|no")
#: Replaces the signs of a class that is a negating word.
HIDDEN = "\ufffc"
_CLOSING = r"[\"'*`)\]]*"
_NEW_CLAUSE = r"(?!(?:it|he|she|they|we|i|you|the|this|that|there|because|since|as|and|or|but|with|for)\b)"
_SHARE = r"(?:0(?:[.,][0-4]\d*)?\s*%?|[1-4]?\d(?:[.,]\d+)?\s*%)"
_DENIED_AFTER = re.compile(
    rf"{_CLOSING}(?:\s+(?:{_NEW_CLAUSE}[{LETTERS}]+\s+){{0,2}}?(?:{_NEGATIONS}|{_WRONG}){_LAST}"
    r"|,?\s+(?:of course|certainly|definitely|absolutely|surely|obviously) not\b"
    r"|\s+of (?:the )?(?:above|these|those|them|options|choices|classes|categories|labels)\b"
    r"|\s+(?:is|was|seems) (?:far )?too\b|\s+aside\b|\s+would (?!be\b|fit|apply|seem|suit|work|make)"
    # `Compliant: no`, `Compliant = 0 %`, `Compliant - not really`
    rf"|\s*(?:[:=|,;(>→-]\s*)+[\"'*`\[]*(?:(?:{_NEGATIONS}|no|nope|nein|false|faux|falso|none|null)"
    rf"(?: at all| really| quite)?|{_SHARE}|[❌✗✘✖☐])[\"'*`)\]!.|}}\s]*\Z)"
)
# Scripts without spaces: `不合格`, `肯定的ではない`, `긍정이 아닙니다`.
_UNLIKE = re.compile(
    r"[^\w]*(?:では|でな|じゃ|とは|かどうか|は(?:誤|違|間違|不|当て)|と(?:思|言|考)\w*(?:ません|ない)|"
    r"이 아|가 아|[은는이가] (?:아|틀|잘못|맞지)|인지|"
    r"(?:으로|이?라고|로) ?\w+ 수[는가]? ?없|(?:으로|이라고|라고|이라|라) (?:볼|보기|할|하기)\w* ?(?:수 )?(?:없|어렵)"
    r"|(?:并|並)?不(?:是|正确|正確|对|對|适用|適用|成立|合适|合適|准确|準確)|是(?:错|錯|不)|的(?:可能性|概率)|ไม่)"
)
_UNLIKE_BEFORE = re.compile(r"(?:不|没|沒|非|无|無|未|没有|沒有|不是|不属于|ไม่|ไม่ใช่)[\s\"'「『]*\Z")
_CROSSED = re.compile(r"(?:(?<!\w)!|!=|=/=|[≠¬❌✗✘✖☐🚫]|\[\s?\]|\[0\]|\(\s\)|~~|<(?:del|s|strike)>)[\s\"'*`(]*\Z")
_CROSSED_AFTER = re.compile(rf"{_CLOSING}\s*(?:[❌✗✘✖☐🚫👎]|\[\s?\]|~~|</(?:del|s|strike)>)")
# `No, of course not`
_AGREED = re.compile(r",?\s+(?:of course|certainly|definitely|absolutely|surely|obviously) not\b")
_CROSS = re.compile(r"[❌✗✘✖🚫][\s*]*\Z")
_QUESTION = re.compile(r"[?؟][\"'*`)\]]*\s*\Z")
_CONDITIONS = (
    "if|whether|unless|wenn|falls(?! (?:under|into|within|in)\\b)|ob|sofern|indien|mocht|hvis|dersom|ifall|"
    "eğer|jeśli|gdyby|czy|если|ли|якщо|jos|αν|εάν|"
    "إذا|لو|यदि|अगर|אם|nếu|jika|kalau|apakah|اگر|s'ils?"
)
# A condition at the start holds for the whole sentence; elsewhere it ends with its clause: `She asks if it works, so`.
_CONDITIONAL = re.compile(
    rf"\A\W*(?:(?:and|but|so|then|well),? )?(?:(?:{_CONDITIONS}){_LAST}|"
    r"s[ie] (?:el|la|los|las|les?|il|o|a|os|as|on|elle)\b|"
    r"(?:had|should|were) (?:the|an?|it|he|she|they|we|i|you|this|that|there)\b|もし|如果|若|假如|만약|만일|ถ้า|หาก)"
)
_CONDITION = re.compile(
    rf"{_FIRST}(?:{_CONDITIONS}|when|until|before|once|provided|assuming|bevor|bis|avant|quand|cuando|antes|wanneer)\s+"
    rf"(?:(?!so\b|therefore\b)[^\s,;:]+\s+)*[\"'*`(]*\Z|(?:是否|如果|若)\w*\W?\Z"
)
_CONDITION_AFTER = re.compile(
    rf"{_CLOSING},?\s*(?:\w+\s)?(?:{_CONDITIONS}|provided|assuming){_LAST}|なら|の場合|면(?!\w)"
)
_INTRODUCING = re.compile(r"(?:\A|[:=,({\[>]|\b(?:is|be|as|say|es|ist|est|è|é))\W*\Z")

_APOSTROPHE = re.compile(r"'(?=(?:t|s|d|m|re|ve|ll)\b)")
_KEY = re.compile(r"(?<=[{,])\s*([\"'])[^\"'\n]{1,80}\1\s*:")


def fold_words(text: str) -> str:
    """Fold a text, and write `isn't` as `isnt`."""
    folded = fold(text)
    return _APOSTROPHE.sub("", folded) if "'" in folded else folded


def drop_keys(text: str) -> str:
    """Return a text without the keys of JSON objects, which name no answer: `{"Yes": false}`.

    A key whose value is not the answer either, such as `"previous_label"`, becomes the word `rejected`.
    """
    if ":" not in text:
        return text
    return _KEY.sub(lambda key: " rejected:" if is_denying_key(key[0].casefold()) else ":", text)


@functools.lru_cache(maxsize=1024)
def hide_negation(text: str) -> str:
    """Return a class as it stands in a text, or as many other signs if it is a negating word such as `No`."""
    return HIDDEN * len(text) if _NEGATION.fullmatch(text) else text


def is_denied(segment: str, start: int, end: int, carried: str = "", *, is_number: bool = False) -> bool:
    """Return whether a sentence denies what it names at [start, end), or does not assert it.

    `carried` is the line before, if it runs on without a full stop: it counts if words follow on this line, or if it
    ends with a negation. A question, a condition and what somebody said assert nothing.
    """
    before, after, carried = segment[max(0, start - _BEFORE) : start], segment[end : end + _AFTER], carried[-_BEFORE:]
    if not before and after in ("", ".", "!") and not carried:
        return False
    if _ENDING.search(carried) or re.search(r"\w", before + after):
        before = f"{carried} {before}"
    before = _IDIOMS.sub(";", before)
    if segment[start] == HIDDEN:  # `❌ No`
        before, after = _CROSS.sub(" ", before), _AGREED.sub("", _CROSS.sub("", after))
    return bool(
        _QUESTION.search(segment[-8:])
        or _CONDITIONAL.match(_IDIOMS.sub(";", segment[:_AFTER]))
        or any(pattern.search(before) for pattern in (_DENIED_BEFORE, _UNLIKE_BEFORE, _CROSSED, _CONDITION))
        or any(pattern.match(after) for pattern in (_DENIED_AFTER, _UNLIKE, _CROSSED_AFTER, _CONDITION_AFTER))
        or is_attributed(_IDIOMS.sub(";", segment[max(0, start - _BEFORE) : start]), after, is_number=is_number)
        or _is_quoted(before, after)
    )


def _is_quoted(before: str, after: str) -> bool:
    """Return whether the words stand among others in quotation marks, as in `She says "Yes, please" twice`."""
    opened, closed = before.rfind('"'), after.find('"')
    if before.count('"') % 2 == 0 or closed < 0 or _INTRODUCING.search(before[:opened]):
        return False
    return bool(re.search(r"\w", before[opened:] + after[:closed]))
