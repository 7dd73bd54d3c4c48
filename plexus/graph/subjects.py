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
    dringlichkeit grund schwere urgence gravité motif urgencia gravedad motivo queja decisión urgenza gravità
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

# Scripts without spaces: what may come before `是`, `は` or `은`, and have a class. A part (`开头`, `冒頭`) may not.
_GLUED_SUBJECT = re.compile(
    r"(?:\A|[的の ])(?:(?:因此|所以|故|总体上?|總體上?|整体上?|整體上?|总的来说|综合来看|最终|最終|"
    r"我认为|我認為|我觉得|我覺得|我判断|"
    r"应该|應該|显然|明显|可以判断|很明显|我的|我会说|我會說|"
    r"这[条封通段]?|這[條封通段]?|该[条封通段]?|此|本|整体|整體|总体|總體|这个|這個|この|その|本|今回の|"
    r"全体的な|総合|最終的な|正しい|이 ?|해당 ?|최종 ?|전체 ?|전체적인 ?|따라서 |그러므로 |이)*)"
    r"(?:答案|回答|回复|结果|結果|结论|結論|判断|判斷|分类|分類|类别|類別|标签|標籤|情感|情感倾向|情绪|情緒|倾向|傾向|评价|評價|评论|評論|反馈|"
    r"意见|意見|态度|態度|整体|整體|总体|總體|语气|語氣|客户|顾客|用户|文本|内容|內容|消息|留言|工单|工單|来电|來電|通话|通話|邮件|郵件|对话|對話|请求|问题|問題|优先级|风险|这|這|这里|它|"
    r"答え|正解|判定|評価|感情|印象|全体|レビュー|口コミ|コメント|投稿|内容|本文|文章|テキスト|トーン|感想|カテゴリー?|ラベル|顧客|お客様|これ|それ|優先度|"
    r"정답|답|답변|결과|결론|판단|분류|평가|감정|감성|의견|리뷰|후기|댓글|글|내용|메시지|어조|톤|태도|고객|카테고리|라벨|우선순위|이것|이)?"
    r"(?:としては?)?(?:还|還|就|应该|應該|应|應|总体上?|整体上?|主要|显然|明显)?\Z"
)
_GLUED_PART = re.compile(
    "前回|以前|上一|上次|之前|이전|지난|开头|開頭|开篇|标题|標題|结尾|結尾|前半|后半|後半|首句|第[一二三四五]|冒頭|最初|最後|タイトル|件名|末尾|제목|첫|처음|앞부분|마지막"
)
_GLUED_COPULA = re.compile(
    r"(?:是|(?<![认認以])[为為]|属于|屬於|属|[はが](?:全体的に|概ね|主に|明らかに|とても|非常に)?|[은는이가] )[^\w]*\Z"
)


def has_glued_subject(clause: str) -> bool:
    """Return whether what stands before `是`, `は` or `은` at the end of a clause may have a class, or is left out."""
    copula = _GLUED_COPULA.search(clause)
    if copula is not None and _GLUED_PART.search(clause):
        return False
    return copula is None or _GLUED_SUBJECT.search(clause[: copula.start()].strip()) is not None


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
