"""Whether the subject of `is` may have a class: `The answer is Yes` answers, and `The ceiling is High` does not.

All patterns apply to the text of `denials.fold_words`. The subjects are a closed list, as the frames of `assertions`
are: what else a sentence may be about has no end.
"""

from __future__ import annotations

import re


def _split_words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_SUBJECTS = _split_words("""
    answer response reply verdict label class classification category option choice grade rating level rank score
    status type topic group sentiment tone conclusion decision result return priority urgency severity risk guess
    match fit pick assessment evaluation judgment judgement finding opinion mood attitude emotion feeling impression
    experience feedback review comment post tweet text message email letter note call conversation chat dialogue
    dialog discussion interaction exchange transcript case ticket issue problem matter request complaint inquiry
    query question customer client caller user agent representative rep advisor operator reviewer author writer
    speaker behavior behaviour conduct performance handling requirement criteria reason cause intent intention
    purpose outcome subject theme language product service quality content impact concern stance rest balance it
    this that these those he she they everything all overall one there which what who we i you here antwort ergebnis
    fazit urteil bewertung einstufung einschätzung stimmung ton tonfall tenor nachricht kunde kundin mitarbeiter
    mitarbeiterin vorgabe anforderung gespräch anruf rezension kommentar beitrag kategorie klasse fall problem
    anliegen priorität risiko das die es er sie alle insgesamt antwoord resultaat conclusie toon recensie bericht
    klant gesprek categorie dit dat het svaret resultatet réponse résultat avis commentaire texte appel évaluation
    note catégorie classe étiquette problème demande cas statut priorité risque ce c cela ça tout il elle ensemble
    client cliente respuesta resultado conclusión veredicto opinión tono sentimiento reseña comentario mensaje texto
    cliente agente llamada conversación evaluación calificación clasificación categoría clase etiqueta problema
    solicitud caso estado prioridad riesgo esto eso ello risposta risultato conclusione giudizio sentimento
    recensione commento messaggio testo chiamata conversazione valutazione classificazione categoria etichetta
    richiesta stato priorità rischio questo ciò resposta avaliação opinião tom comentário mensagem classificação
    isto isso odgovor rezultat zaključek mnenje ocena besedilo sporočilo stranka klic pogovor razvrstitev kategorija
    razred to odpowiedź wynik opinia wydźwięk wiadomość wiadomości klient
""")
# The subject may be left out behind these: `The call was on time and is Compliant`.
_JOINTS = _split_words("""
    and but or so because since that which who while though although whereas therefore thus hence if means makes und
    aber oder weil da denn dass en maar omdat et mais ou que car y pero porque e ma che perché poiché mas ker saj
    oraz ale
""")
_PREPOSITIONS = _split_words("""
    of in on at for from with to toward towards across across about by throughout during between after before within
    under above behind given per regarding i you we expressed conveyed shown voiced von in im für mit bei über aus
    nach de du des d dans sur pour avec del en con sobre para di della dello nel da do na no em o za od pri iz van
    over voor
""")
# Before a noun, they leave only a part of the text, another text, or a scale.
_PARTIAL = _split_words("""
    first second third fourth fifth last next previous prior past earlier opening closing highest lowest maximum
    minimum average majority default draft top bottom erste ersten erster erstes zweiter zweites letzter letztes
    zweite zweiten dritte letzte letzten premier première second seconde dernier dernière primer primera primero
    segundo segunda último última primo prima secondo seconda ultimo ultima primeira primeiro prvi prva prvo drugi
    druga drugo zadnji zadnja zadnje pierwszy pierwsza ostatni ostatnia
""")
# `Gesamteindruck`, `Grundstimmung`
_COMPOUNDS = ("stimmung", "eindruck", "bewertung", "einstufung", "ergebnis", "urteil", "antwort")
_ANSWERS = _split_words("answer response reply verdict label choice rating")
# Words between a subject and its verb, and adjectives behind a noun.
_BETWEEN = _split_words("""
    would should must will shall can could may might has have had having to be been being not now then here there
    therefore thus still also clearly itself alone together correct correcta correcto corretta corretto correta
    finale final générale globale general dunque quindi pertanto così portanto então entonces tanto ainsi alors dus
    deshalb dafür torej zato zatem więc donc also daher somit
""")


def has_subject(clause: str, start: int) -> bool:
    """Return whether what stands before the verb at `start` of a clause may have a class, or is left out."""
    words = re.findall(r"\w+", clause[:start])
    while words and (words[-1] in _BETWEEN or words[-1].endswith("ly") or words[-1].isdigit()):
        words.pop()
    first = max((index + 1 for index, word in enumerate(words) if word in _JOINTS), default=0)
    words = words[first:]
    if not words or words[0].endswith("ing"):
        return True
    ends = [index for index, word in enumerate(words) if word in _PREPOSITIONS]
    # `Under rule 2 this is` begins with a preposition, and its subject comes last.
    head = words[-1] if not ends or ends[0] == 0 else words[ends[0] - 1]
    is_known = head.endswith(_COMPOUNDS) or not _SUBJECTS.isdisjoint((head, head.removesuffix("s")))
    return is_known and not _is_limited(words[: words.index(head)], head)


def _is_limited(before: list[str], head: str) -> bool:
    """Return whether the words before a noun limit it to a part, or name another who answers: `The form's answer`."""
    near = before[-2:]
    return any(word in _PARTIAL for word in near) or (
        head in _ANSWERS and bool(near) and len(near[-1]) > 4 and near[-1].endswith("s")
    )
