"""Guess the language of texts from their script and, for Latin and Cyrillic letters, from their most frequent words."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable
from functools import lru_cache

UNKNOWN = "unknown"
_SAMPLE = 2000  # characters of a text
_WORD = re.compile(r"[^\W\d_]+")
#: Addresses, and what English appends to words, are no words: the `com` of a name is not Portuguese, nor an `s` Czech.
_NO_WORDS = re.compile(r"\S*(?:://|@)\S*|[\w-]+(?:\.[\w-]+)+|(?<=\w)['’](?:s|t|d|m|ll|re|ve)\b", re.IGNORECASE)
#: Frequent words that a language shares with few others.
_FREQUENT = {
    "English": "the and is of to was this with for that have you it are not but my very i we in at on a so be had if "
    "as do no by from they what he she his her there will can has who how or an your would their which all been",
    "German": "der die das und ist nicht ich ein eine mit auf für sie wir zu den es war sehr auch von "
    "was an so will her all hat dem wenn man oder kann wird bei einen",
    "French": "le les des et est je une pas pour dans que avec vous nous sur très ce il du au mais",
    "Spanish": "el los las es y que no una por con para muy pero como mi más su lo se del está",
    "Italian": "il che è di non una per con sono ho molto ma anche gli della del le questo più mi si",
    "Portuguese": "não uma que é muito com para os do da em mas meu minha mais foi eu as ao está um",
    "Dutch": "het een en van ik niet is dat met voor de maar zijn op te heel wij naar ook deze worden",
    "Swedish": "och det att är som en jag inte på för med har ett mycket av den till var men så",
    "Polish": "nie się jest że na i to w z do jak ale bardzo po są przez od już tak mam",
    "Czech": "je se na že to v a jsem ale pro jak tak si byl velmi které po od jsou s",
    "Slovenian": "je in na se da ni za pa so ki tudi sem bi po kot ne ali še že zelo",
    "Turkish": "ve bir bu çok için da de ile ama değil ben daha var ne gibi kadar sonra hiç iyi",
    "Russian": "и в не на что это я с как но очень по за мы так от вы все его она",
    "Ukrainian": "і в не на що це я з як але дуже та у для ми від ви його вона є",
}
_BY_WORD: dict[str, list[str]] = {}
for _name, _words in _FREQUENT.items():
    for _word in _words.split():
        _BY_WORD.setdefault(_word, []).append(_name)
_SCRIPTS = {
    "HANGUL": "Korean",
    "HIRAGANA": "Japanese",
    "KATAKANA": "Japanese",
    "CJK": "Chinese",
    "GREEK": "Greek",
    "HEBREW": "Hebrew",
    "THAI": "Thai",
    "ARABIC": "Arabic script",
    "DEVANAGARI": "Devanagari script",
}


def guess(text: str) -> str:
    """Return the name of a text's likely language, or `unknown` if its words do not decide.

    Only the first `_SAMPLE` characters are read. A guess for descriptions of a table: short texts are often unknown.
    """
    text = text[:_SAMPLE]
    scripts = Counter(filter(None, map(_find_script, text)))
    if scripts["Japanese"] and scripts["Chinese"]:
        scripts["Japanese"] += scripts["Chinese"]  # Japanese is written with both
    script = max(scripts, key=lambda name: scripts[name], default="")
    if script in _SCRIPTS.values():
        return script
    points: dict[str, float] = {}
    for word in _WORD.findall(_NO_WORDS.sub(" ", text.casefold())):
        names = _BY_WORD.get(word, ())
        for name in names:
            points[name] = points.get(name, 0.0) + 1 / len(names)
    best = sorted(points.items(), key=lambda pair: -pair[1])[:2]
    if not best or best[0][1] < 1 or (len(best) > 1 and best[0][1] - best[1][1] < 0.5):
        return UNKNOWN
    return best[0][0]


def count_languages(texts: Iterable[str]) -> dict[str, int]:
    """Return language → number of texts, the most frequent first."""
    return dict(Counter(map(guess, texts)).most_common())


@lru_cache(maxsize=8192)
def _find_script(letter: str) -> str:
    if not letter.isalpha():
        return ""
    name = unicodedata.name(letter, "").partition(" ")[0].partition("-")[0]
    return _SCRIPTS.get(name, name)
