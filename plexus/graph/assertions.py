"""Whether the words around a class assert it: a closed list of frames, since denials have no end.

All patterns apply to the text of `denials.fold_words`. A frame that is missing here makes a reply fail, which is asked
for again; a denial that is missing in a list of denials would be stored as an answer.
"""

from __future__ import annotations

import re

from plexus.graph.denials import HIDDEN, LETTERS
from plexus.graph.subjects import has_glued_subject, has_subject

# Scripts that write words without spaces, or their endings onto them: Thai, Lao, Burmese, Khmer, kana, Han, Hangul.
GLUED = (
    r"\u0e00-\u0eff\u1000-\u109f\u1100-\u11ff\u1780-\u17ff\u3005-\u3007\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af"
    r"\uf900-\ufaff"
)
_GLUED = re.compile(f"[{GLUED}]")
_FIRST, _LAST = f"(?<![{LETTERS}])", f"(?![{LETTERS}])"
# Behind one of these signs a class needs no introduction, and before one no continuation.
_CLAUSE = re.compile(r"[:=;,，、؛،|/<>()[\]{}→⇒。]|\s-+\s|[.!?]\s|\.{3}|[…।]")
_MARKS = r"[^\w]*"
_SIGNS = re.compile(r"[^\w]+\Z")
# They may stand between the introducing word and the class.
_MODIFIERS = (
    # English
    r"an?|the|my|our|this|\w{2,}ly|very|just(?: about)?|rather|quite|overall|best|also|indeed|clear|definite|firm|"
    r"strong|"
    "simple|resounding|instead|so|therefore|thus|hence|then|now|still|in fact|of course|"
    # German, Dutch, Swedish, Danish
    "eine?n?|der|die|das|also|daher|somit|folglich|eindeutig|klar|eher|überwiegend|wohl|hier|insgesamt|größtenteils|"
    "deutlich|tendenziell|im ganzen|sehr|een|het|dus|duidelijk|overwegend|grotendeels|over het algemeen|alltså|altså|"
    "övervägande|överlag|"
    # French, Spanish, Italian, Portuguese
    "une?|le|la|donc|plutôt|clairement|globalement|majoritairement|nettement|très|dans l'ensemble|una?|el|por tanto|"
    "claramente|más bien|en general|mayormente|predominantemente|muy|il|lo|quindi|dunque|piuttosto|chiaramente|"
    "nel complesso|prevalentemente|decisamente|molto|um|uma|o|portanto|no geral|em geral|muito|"
    # Polish, Russian, Turkish, Hindi
    "więc|zatem|wyraźnie|raczej|ogólnie|przeważnie|zdecydowanie|bardzo|значит|скорее|явно|однозначно|в целом|"
    "в основном|преимущественно|очень|genel olarak|oldukça|çoğunlukla|कुल मिलाकर"
)
# With the modifiers, they may be all that stands before the class: `Sure, definitely yes`.
_ADVERBS = (
    "and|but|or|well|ok(?:ay)?|sure|hm+|right|final|finally|as (?:such|requested|a result)|ie|namely|yes|no|x|"
    "in (?:short|summary|sum|conclusion|total)|to (?:sum up|summari[sz]e|conclude)|ja|nein|deshalb|daarom|oui|non|"
    "alors|ainsi|en (?:conclusion|résumé|resumen)|entonces|así que|por eso|perciò|então|logo|czyli|dlatego|поэтому|"
    "следовательно|yani|bu nedenle|dolayisiyla|إذن|إذا|لذلك|لذا|इसलिए|अतः|derfor|därför|siis|tehát|jadi|vậy"
)
#: What an answer is called, for a pattern.
ANSWERS = (
    "answer|response|reply|verdict|label|class(?:ification)?|category|option|choice|grade|rating|level|rank|score|"
    "status|type|topic|group|sentiment|tone|conclusion|decision|result|return|risk|priority|urgency|severity"
)
_SAY = "say|answer|choose|pick|select|assign|conclude|vote|guess|reply|respond"
_RATE = (
    "rate|mark|call|label|consider|deem|find|found|make|judge|classif(?:y|ie)|file|assess|see|read|tag|route|direct|"
    "send|set|categori[sz]e|put|assign|give|got|describe"
)
_INTRODUCTIONS = (
    # English
    "is|are|was|were|be|been|its|thats|this ones|ha[sv]e?(?= an? )|seems|appears|sounds|remains?|remained|feels|"
    f"i (?:think|believe|(?:would |will |must |have to )?(?:{_SAY}))|(?:id|ill|we|wed|well|would|to|will) (?:{_SAY})|"
    "(?:go|going|(?<=i )went|(?<=vote )goes|answer|respond|side)(?: (?:here|therefore))? (?:with|for)|"
    "lets (?:say|go with)|"
    "lean(?:s|ing)?(?: (?:more|rather|strongly))?(?: towards?)?|(?:points?|pointing|amounts?|comes? down|equates|"
    "corresponds|belongs?|routed|assigned?|refers|relates|related|changed|sent)(?: \\w+){0,2} to|"
    f"(?:{_RATE})[sd]?(?: (?!(?:like|ha[sd]|have|went) )\\w+){{1,4}}?(?: (?:as|under|in|to|to be))?|"
    "(?:acted|behaved) in|"
    "(?:labell?ed|marked|rated|classified|deemed|considered|judged|called|tagged|described)(?: as)?|(?:is|are|was|"
    "its|all) about|"
    "(?:falls?|file[sd]?|fits?|goes)(?: it| this)? (?:under|in|into|within)|(?:should|would|must) go to|"
    "(?:this|it|i) lands? on|constitutes|committed|carries|represents|concerns|involves|expresses|conveys|reflects|"
    "indicates|shows|infer|"
    "detect|fits|match(?:es)?|earns|deserves|gets|(?<!what )(?:counts|qualifies) as|reads as|comes across as|"
    "belongs in|"
    "(?:customer|caller|client|user|agent|she|he|they) (?:\\w+ )?(?:wants?|wanted|demands?|requests?|requested|needs|"
    "asks? for|asked for|offered|would (?:like|prefer)|prefers?|insists on|is looking for|is (?:calling|"
    "asking) about)|but for|"
    f"(?<!than )(?<!to )(?:{ANSWERS})s?(?: of)?|case of|"
    # Verbs of rating before `as`: German, Dutch, French, Spanish, Italian, Portuguese
    "(?:stuf|wert|bewert|klassifizier|ordn|seh|betracht|würd|classifice|beoorde|markee|classer|qualifie|considé|"
    "consider|clasific|classific|etiquet|catalog|valut|razvrst|uvrst|ocen|označ|"
    "sklasyfik|oznacz|классиф|оцен)\\w*(?: \\w+){0,5} (?:als|comme|como|come|kot|kao|jako|как)|"
    # German, Dutch, Danish, Norwegian, Swedish, Finnish
    r"(?:\A|(?<=[:;.] ))(?:es handelt sich(?: hier(?:bei)?)?|"
    "(?:hier(?:bei)?|dabei|somit|daher|also) handelt es sich) um|"
    "(?:ist|lautet)(?: (?:die|der|das|meine) \\w+)?|(?:ich|wir) (?:würde|wähle|sage|antworte(?: mit)?|nehme)|geht um|"
    "luidt|"
    "ik (?:zou|kies|zeg|antwoord)|"
    "(?:gaat|het) om|handlar om|handler om|är|er|kyse on|vastaus on|blir|"
    # French, Spanish, Italian, Portuguese, Romanian
    "est|c'?est|(?:je )?dirais|je (?:réponds|choisis)|s'?agit d(?:e|'une? \\w+)|es|(?:yo )?diría(?: que)?|elijo|"
    "respondo(?: que)?|"
    "se trata de(?: una? \\w+)?|è|direi|scelgo|si tratta di(?: una? \\w+)?|é|(?:eu )?diria(?: que)?|escolho|"
    "trata-se de|este|"
    # Slavic languages, Greek, Turkish, Vietnamese, Indonesian
    "(?:odpowiedź|ocena|wydźwięk|kategoria|wynik|temat) to|brzmi|jest|powiedział(?:a)?bym|wybieram|chodzi o|je|это|"
    "является|я бы сказала?|выбираю|идёт о|είναι|cevap|cevabim|yanit|yanitim|sonuç|konu|yorum|(?:yorumun |"
    "mesajin )?tonu|duygu|là|"
    "adalah|"
    # Languages whose sentences may lack a verb: the subject begins its clause
    r"(?:\A|(?<=[:;,،] ))(?:(?:мой |правильный )?ответ|отзыв|тон(?: отзыва)?|комментарий|настроение|الإجابة|الاجابة|"
    "الجواب|التقييم|النتيجة|الموضوع|أقول|(?:الشعور|المشاعر|النبرة|الرأي|التعليق)(?: العام[ةه]?)?)|هي|هو|הוא|היא|"
    "(?:(?:मेरा|सही|अंतिम) )?उत्तर|जवाब|भावना|स्वर|(?:यह |इस )?(?:समीक्षा|टिप्पणी)"
)
# A noun may follow the class: `Negative sentiment about the delay`, but not `Positive feedback was wanted`.
_NAMES = (
    "sentiment|tone|review|feedback|feeling|message|text|call|category|class|label|issue|problem|question|matter|topic|"
    "case|ticket|request|risk|priority|urgency|severity|rating|grade|level|opinion|mood|way|support|answer|delay|"
    "concern"
)
_PREPOSITIONS = (
    "about|due|because|as|since|for|of|towards?|with|without|in|on|and|but|from|by|to|throughout|detected|found"
)
_CONTINUATIONS = (
    "because|since|as(?! far)|for|given|due|based|owing|according|per|with|within|of|in|on|at|to|about|towards?|"
    "through|"
    "throughout|by|from|under|after|before|despite|regarding|concerning|though|although|even|while|whereas|but|and|so|"
    "which|when|where|that|here|there|now|then|during|indeed|overall|too|also|again|therefore|thus|it|he|she|they|this|"
    "the|an?|i|we|its|thats|fits?|applies|seems|appears|is|was|would|will|does|out of|stars?|points?|"
    rf"(?:{_NAMES})s?(?= (?:{_PREPOSITIONS}){_LAST}|{_MARKS}\Z|[,;:.])|"
    "weil|denn|da|ein|sagen|wählen|antworten|einstufen|klassifizieren|bewerten|werten|einordnen|und|aber|mit|omdat|"
    "want|zeggen|antwoorden|eftersom|för|fordi|koska|car|parce|puisque|en|avec|et|mais|porque|ya|pues|con|y|pero|"
    "perché|poiché|ma|e|pois|com|mas|bo|ponieważ|gdyż|i|потому|так|поскольку|и|но|çünkü|olur|[dt][iuü]r|olarak|mert|"
    "γιατί|επειδή|vì|karena|כי|لأن|لان|حيث|क्योंकि|है|हैं|होगा"
)
# `Only the start is Positive`, but `Only one answer is right: Yes`.
_RESTRICTED = re.compile(
    r"\A\W*(?:only|nur|seule?s?|sol[oa]|sólo|soltanto|só|apenas|alleen|tylko|только|лишь|yalnizca|sadece|केवल|सिर्फ|"
    rf"bara|kun){_LAST}[^:=→]*\Z|فقط\W*\Z"
)
_INTRODUCED = re.compile(rf"{_FIRST}(?:{_INTRODUCTIONS})(?:{_MARKS}{_FIRST}(?:{_MODIFIERS}){_LAST}){{0,4}}{_MARKS}\Z")
# `is the`, before a class.
_COPULA = re.compile(
    rf"{_FIRST}(?:is|are|was|were|be|been|seems|appears|sounds|remains?|remained|feels|ist|war|lautet|est|es|è|é|je|jest)"
    rf"(?:{_MARKS}{_FIRST}(?:{_MODIFIERS}){_LAST}){{0,4}}{_MARKS}\Z"
)
_ALONE = re.compile(rf"(?:{_MARKS}{_FIRST}(?:{_MODIFIERS}|{_ADVERBS}){_LAST})*{_MARKS}\Z")
# `Yes 0.93` ends with a confidence.
_CONTINUED = re.compile(rf"{_MARKS}(?:(?:{_CONTINUATIONS}){_LAST}|[01]?\.\d+\W*\Z|\d{{1,3}} ?%\W*\Z)")
_NOUN = re.compile(rf" (?:{_NAMES})s?{_LAST}(?! (?:is|was):)")
# What may touch a class in these scripts that is named, as in `答えは肯定的です`; touched by anything else, it may be
# part of another word: `예를 들어`, `不合格`. Before a class of one sign, `是` may belong to it: `是否` is `whether`.
_GLUED_BEFORE = re.compile(
    r"(?:为|為|选择|選擇|属于|屬於|所以|因此|故|(?:は|が)(?:全体的に|概ね|主に|明らかに|とても|非常に)?|も|คือ|ว่า|"
    r"เป็น|"
    r"[은는이가] |(?:므로|[니으]니까|[아어라]서) |(?:따라서|그러므로|결국|즉) |我会?(?:回答|选)|"
    r"(?:答案|回答|结果|結果|结论|結論|判断|判斷|分类|分類|类别|類別) )[^\w]*\Z"
)
_GLUED_BEFORE_LONGER = re.compile(r"(?:是|의|の|属)\Z|是[^\w]+\Z")
_GLUED_AFTER = re.compile(
    r"[^\w]*(?:です|でした|でしょう|だ|である|とな|にな|な(?!の)|の(?!は)|と(?:判|し|評価|分類)|입니다|이다|임|"
    r"이에요|예요|이며|이고|"
    r"(?:이?라고|으?로) ?(?:판단|분류|평가|생각|봅|보입|볼 수 있|간주|결론|답)|ครับ|ค่ะ|คะ|"
    rf"的(?:[\"')*]*(?:\Z|[^{LETTERS}])|评|評|情|态|態))"
)


def is_asserted(segment: str, start: int, end: int) -> bool:
    """Return whether the words around a class at [start, end) of a folded sentence are a known frame of an answer."""
    # `No answer` and `No review` do not answer No.
    is_noun = segment[start] == HIDDEN and _NOUN.match(segment, end) is not None
    return not is_noun and _is_introduced(segment[:start], is_longer=end - start > 1) and _is_ended(segment[end:])


def _is_introduced(before: str, *, is_longer: bool) -> bool:
    if _RESTRICTED.search(before):
        return False
    clause = before[max((each.end() for each in _CLAUSE.finditer(before)), default=0) :]
    if _ALONE.fullmatch(clause):
        return True
    if _GLUED.match(_SIGNS.sub("", clause)[-1:]):
        return has_glued_subject(clause) and bool(
            _GLUED_BEFORE.search(clause) or (is_longer and _GLUED_BEFORE_LONGER.search(clause))
        )
    copula = _COPULA.search(clause)
    return _INTRODUCED.search(before) is not None and (copula is None or has_subject(clause, copula.start()))


def _is_ended(after: str) -> bool:
    end = _CLAUSE.search(after)
    rest = after[: end.start()] if end else after
    word = re.search(r"\w", rest)
    return word is None or (_GLUED_AFTER if _GLUED.match(word[0]) else _CONTINUED).match(rest) is not None
