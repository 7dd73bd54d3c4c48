"""How models frame one answer: markup, and words of twelve languages. Written for the tests of `parse_label`."""

#: Markup of any language; `{A}` is the language's word for "answer", `{}` the class.
MARKUP = (
    "{}", "{}.", "{}!", " {} ", "\n\n{}\n", "**{}**", "*{}*", "__{}__", "_{}_", "`{}`", '"{}"', "'{}'", "“{}”", "„{}“",
    "«{}»", "‘{}’", "({})", "[{}]", "<answer>{}</answer>", "<b>{}</b>", "# {}", "- {}", "* {}", "• {}", "1. {}",
    "> {}", "| {A} | {} |", "{A}: {}", "{A}:{}", "{A} : {}.", "{A}：{}", "**{A}:** {}", "**{A}**: {}", "{A} = {}",
    "{A} - {}", "{A} – {}", "{A} — {}", "{A} → {}", "=> {}", "{A}\n{}", "{A}:\n\n{}", "{A}: **{}**.", "{A}: “{}”",
    "✅ {}", "{} ✅", "\\boxed{{{}}}", "```\n{}\n```", '{{"answer": "{}"}}', "{{'label': '{}'}}", "{A}:\u00a0{}",
    "{A}: {}\r\n", "\ufeff{}",
)  # fmt: skip

#: Language → word for "answer"; sets of classes; sentences with a class; sentences that name none.
LANGUAGES: dict[str, tuple[str, tuple[tuple[str, ...], ...], tuple[str, ...], tuple[str, ...]]] = {
    "English": (
        "Answer",
        (("Yes", "No"), ("Positive", "Negative", "Neutral"), ("Not Applicable", "Applicable")),
        ("The answer is {}.", "I would say {}.", "My final answer: {}", "It is {}, I think.", "So it must be {}!"),
        ("The customer asks for the money.", "It came late and was broken."),
    ),
    "German": (
        "Antwort",
        (("Ja", "Nein"), ("Positiv", "Negativ", "Neutral"), ("Trifft zu", "Trifft nicht zu")),
        ("Die Antwort ist {}.", "Die Antwort lautet: {}", "Ich würde „{}“ sagen.", "Das Ergebnis ist also {}!"),
        ("Der Kunde will sein Geld zurück.", "Die Ware kam zu spät."),
    ),
    "French": (
        "Réponse",
        (("Oui", "Non"), ("Positif", "Négatif", "Neutre"), ("Applicable", "Sans objet")),
        ("La réponse est {}.", "La réponse est : « {} ».", "Je dirais {}.", "C'est donc {} !"),
        ("Le client veut son argent.", "Le colis est arrivé en retard."),
    ),
    "Spanish": (
        "Respuesta",
        (("Sí", "No"), ("Positivo", "Negativo", "Neutro"), ("Aplica", "No aplica")),
        ("La respuesta es {}.", "La respuesta es: {}", "Yo diría que {}.", "¡Por eso es {}!"),
        ("El cliente quiere su dinero.", "El paquete llegó tarde."),
    ),
    "Italian": (
        "Risposta",
        (("Sì", "No"), ("Positivo", "Negativo", "Neutro")),
        ("La risposta è {}.", "La risposta è: {}", "Direi {}.", "Quindi è {}!"),
        ("Il cliente vuole i suoi soldi.", "Il pacco arrivò tardi."),
    ),
    "Portuguese": (
        "Resposta",
        (("Sim", "Não"), ("Positivo", "Negativo", "Neutro")),
        ("A resposta é {}.", "A resposta é: {}", "Eu diria {}.", "Portanto, é {}!"),
        ("O cliente quer o dinheiro de volta.", "O pacote chegou tarde."),
    ),
    "Dutch": (
        "Antwoord",
        (("Ja", "Nee"), ("Positief", "Negatief", "Neutraal")),
        ("Het antwoord is {}.", "Het antwoord luidt: {}", "Ik zou {} zeggen.", "Het is dus {}!"),
        ("De klant wil zijn geld terug.", "Het pakket kwam te laat."),
    ),
    "Polish": (
        "Odpowiedź",
        (("Tak", "Nie"), ("Pozytywny", "Negatywny", "Neutralny")),
        ("Odpowiedź to {}.", "Odpowiedź brzmi: {}", "Powiedziałbym {}.", "Czyli „{}”!"),
        ("Klient chce zwrotu pieniędzy.", "Paczka przyszła za późno."),
    ),
    "Turkish": (
        "Cevap",
        (("Evet", "Hayır"), ("Olumlu", "Olumsuz", "Nötr")),
        ("Cevap {}.", "Cevap: {}", "Cevabım {} olur.", "Sonuç {}'dir!"),
        ("Müşteri parasını istiyor.", "Paket geç geldi."),
    ),
    "Russian": (
        "Ответ",
        (("Да", "Нет"), ("Положительный", "Отрицательный", "Нейтральный")),
        ("Ответ — {}.", "Мой ответ: {}", "Я бы сказал «{}».", "Значит, {}!"),
        ("Клиент просит вернуть деньги.", "Посылка пришла поздно."),
    ),
    "Japanese": (
        "答え",
        (("はい", "いいえ"), ("肯定的", "否定的", "中立"), ("ポジティブ", "ネガティブ")),
        ("答えは{}です。", "答えは「{}」です。", "回答：{}。", "結論は{}だ。", "したがって、{}となります。"),
        ("お客様は返金を求めています。", "荷物が遅れました。"),
    ),
    "Chinese": (
        "答案",
        (("正面", "负面", "中性"), ("合规", "违规"), ("是", "否")),
        ("答案是“{}”。", "答案：{}。", "我的答案为：{}", "结果为{}。", "因此选择{}。"),
        ("客户要求退款。", "包裹迟到了。"),
    ),
    "Korean": (
        "답변",
        (("예", "아니요"), ("긍정", "부정", "중립")),
        ("답은 {}입니다.", "답은 '{}'입니다.", "정답: {}", "결론은 {}이다.", "따라서 {}."),
        ("고객이 돈을 원합니다.", "소포가 늦게 왔습니다."),
    ),
    "Arabic": (
        "الإجابة",
        (("نعم", "لا"), ("إيجابي", "سلبي", "محايد")),
        ("الإجابة هي {}.", "الجواب: {}", "أقول: {}.", "إذن {}!"),
        ("العميل يريد نقوده.", "وصلت الحزمة متأخرة."),
    ),
    "Hindi": (
        "उत्तर",
        (("हाँ", "नहीं"), ("सकारात्मक", "नकारात्मक", "तटस्थ")),
        ("उत्तर {} है।", "उत्तर: {}।", "मेरा उत्तर “{}” है।", "इसलिए {}!"),
        ("ग्राहक पैसे चाहता है।", "पार्सल देर से आया।"),
    ),
}  # fmt: skip

#: Two different classes in one breath.
JOINTS = (
    "{0} or {1}", "{0}, {1}", "{0} / {1}", "{0}/{1}", "{0}; {1}", "{0}. {1}", "{0} and {1}", "{0} - {1}",
    "{0} oder {1}", "{0} ou {1}", "{0} o {1}", "{0} of {1}", "{0} lub {1}", "{0} veya {1}", "{0} или {1}", "{0}か{1}",
    "{0}或{1}", "{0} 또는 {1}", "{0} أو {1}", "{0} या {1}", "{0}、{1}", "{0}|{1}", "{0} ({1})", "{0} → {1}", "{0}: {1}",
    "not {0} but {1}", "**{0}** **{1}**", "{0}? {1}!", "either {0} or else {1}",
)  # fmt: skip


def frame(framing: str, answer: str, label: str) -> str:
    """Return the reply: the class in the framing, with the language's word for "answer"."""
    return framing.replace("{A}", answer).format(label)


def framings(language: str) -> list[str]:
    """Return all framings of a language: markup, its own sentences, and both with its sentences around them."""
    _, _, sentences, others = LANGUAGES[language]
    around = [*sentences, "{}.", "{A}: {}"]
    before, after = others
    return [
        *MARKUP,
        *sentences,
        *(f"{before} {each}" for each in around),
        *(f"{each}\n\n{after}" for each in around),
        *(f"<think>{before}</think>{each}" for each in around),
    ]
