"""Replies in twelve languages that mention a class in words which do not assert it."""

#: Classes → replies that mention one of them and assert none.
UNFRAMED: dict[tuple[str, ...], tuple[str, ...]] = {
    ("Yes", "No"): (
        "I would not say Yes.", "Calling this a Yes requires ignoring the second half.", "A Yes overstates it.",
        "You would have to squint to get to Yes.", "Yes would only hold had the agent waited.", "If only it were Yes.",
        "I stop short of Yes.", "The transcript rules a Yes out.", "Yes doesn't cut it.", "Nothing close to a Yes.",
        "We're a long way off Yes.", "Yes is off the table.", "There's no way to get to Yes from here.",
        "Someone skimming this might land on Yes.", "You won't find a Yes here.", "Yes died with the second complaint.",
        "That leaves Yes hanging.", "Yes crumbles under scrutiny.", "It takes more than this to earn a Yes.",
        "I kept looking for a Yes.", "Yes misses the point.", "I'd sooner quit than answer Yes.",
        "The person who wrote Yes in the notes skipped the last page.", "The form has Yes ticked by default.",
        "My colleague would have put Yes.", "The dropdown offers Yes, nothing more.",
        "Turning this into a Yes takes imagination.", "Yes sits badly with line 9.",
        "There is a case to be made against Yes.", "That Yes is bogus.", "It reads like a Yes but it's sarcasm.",
        "Yes was on the tip of my tongue.", "As answers go, Yes is poor.",
        "Only a stretch of the imagination makes this a Yes.", "The audit found Yes answers that were made up.",
        "I was this close to writing Yes.", "A hesitant Yes from the caller is all there is.",
        "The rubric awards a Yes for a greeting.", "What would make this a Yes is an apology.",
        "It is anyone's guess if it's Yes.",
    ),
    ("Compliant", "Violation"): (
        "It isn't compliant", "Compliance? Compliant it ain't.", "The call falls outside what I'd label Compliant.",
        "The agent stops being Compliant at minute three.", "Compliant until minute three.",
        "He stays just this side of a Violation.", "Short of a Violation, but sloppy.",
        "The agent corrected course before it turned into a Violation.", "Compliant ends at the greeting.",
        "The supervisor later coached him on how to stay Compliant.", "Compliant agents read the disclosure.",
        "A Violation carries a fine, so agents are careful.", "The rule defines what counts as Compliant.",
        "A new script keeps agents Compliant.", "They were Compliant last quarter.",
        "Being Compliant takes more than a greeting.", "Every Violation gets logged by the system.",
        "The Violation hotline is closed on Sundays.", "He asked what happens after a Violation.",
        "We were close to a Violation here.", "It stops being a Violation once consent is given.",
        "The customer alleges a Violation of her rights.", "The email warns of a Violation.",
        "Policy treats silence as a Violation.", "Previous calls with this agent were Compliant.",
    ),
    ("Resolved", "Unresolved"): ("Resolved as far as the agent is concerned; the customer hangs up angry.",),
    ("Positive", "Negative", "Neutral"): (
        "Positive is what they want us to think.", "Less Positive than it sounds.", "Sounds Positive, isn't.",
        "Positive feedback is what the survey wanted.", "The Positive start gives way to insults.",
        "A Positive spin on a sad story.", "She put on a Positive face.",
        "Positive vibes only, says the mug she returned.", "Negative space in the photo bothered her.",
        "The scale runs from Negative.", "Other reviewers are Positive.",
    ),
    ("Ja", "Nein"): (
        "Von einem Ja würde ich hier nicht sprechen.", "Ja wäre zu viel gesagt.",
        "Dass die Antwort Ja lautet, bezweifle ich.", "Ein Ja sähe anders aus.", "Ich zögere, Ja zu sagen.",
        "Man ist versucht, Ja zu antworten.", "Ein Ja gibt der Text nicht her.", "Das Ja des Kunden war ironisch.",
        "Ein zögerliches Ja des Kunden, mehr gibt es hier kaum.", "Auf den ersten Blick ist die Antwort Ja.",
    ),
    ("Oui", "Non"): (
        "Oui serait exagéré.", "On ne saurait répondre oui.", "J'hésite à répondre Oui.", "Je doute que ce soit Oui.",
        "Le Oui du client était ironique.", "Oui ne tient pas la route.", "À première vue, c'est Oui.",
    ),
    ("Conforme", "Non conforme"): ("L'appel n'est guère conforme.", "Il s'en faut de beaucoup que ce soit conforme."),
    ("Sí", "No"): (
        "Sería un error responder Sí.", "Dudo que la respuesta sea Sí.", "Cuesta decir que Sí.",
        "El Sí del cliente era irónico.", "A primera vista es Sí.",
    ),
    ("Positivo", "Negativo"): (
        "De positivo no tiene nada.", "Tutt'altro che positivo.", "Está longe de ser Positivo.",
        "Positivo sería mucho decir.", "Llamarlo Positivo es engañoso.", "Definirlo Positivo è una forzatura.",
        "Chamar isto de Positivo é forçado.", "Solo el principio es Positivo.", "Mal podría llamarse Positivo.",
        "Positivo è solo l'inizio.", "Di Positivo c'è poco.", "De Positivo tem pouco.",
        "El título es Positivo, pero el resto se queja.", "Parecía Positivo hasta el final.",
        "Il cliente voleva sembrare Positivo.", "O título é Positivo, o resto é queixa.",
    ),
    ("Sì", "No"): (
        "Dire Sì sarebbe eccessivo.", "Dubito che sia Sì.", "Faccio fatica a dire Sì.",
        "Il Sì del cliente era ironico.", "A prima vista è Sì.",
    ),
    ("Sim", "Não"): (
        "Duvido que seja Sim.", "Dizer Sim seria um exagero.", "Custa-me dizer Sim.", "O Sim do cliente foi irónico.",
        "À primeira vista, é Sim.",
    ),
    ("Ja", "Nee"): (
        "Ik betwijfel of het Ja is.", "Een Ja zou overdreven zijn.", "De Ja van de klant was ironisch.",
        "Op het eerste gezicht is het antwoord Ja.",
    ),
    ("Positief", "Negatief"): (
        "Verre van Positief.", "Moeilijk Positief te noemen.", "Positief is alleen het begin.",
        "De titel klinkt Positief.",
    ),
    ("Tak", "Nie"): (
        "Wątpię, czy odpowiedź brzmi Tak.", "Powiedzieć Tak to przesada.", "Tak klienta było ironiczne.",
        "Na pierwszy rzut oka odpowiedź to Tak.",
    ),
    ("Pozytywny", "Negatywny"): (
        "Trudno nazwać to Pozytywny.", "Daleko temu do Pozytywny.", "Pozytywny jest tylko początek.",
        "Tytuł brzmi jak Pozytywny.",
    ),
    ("Да", "Нет"): (
        "Сомневаюсь, что ответ Да.", "Да было бы преувеличением.", "Да клиента было ироничным.",
        "На первый взгляд ответ — Да.",
    ),
    ("Положительный", "Отрицательный"): (
        "Назвать отзыв Положительный было бы ошибкой.", "Далеко не Положительный.", "Сложно назвать его Положительный.",
        "Положительный тут только первый абзац.", "Заголовок Положительный, остальное жалоба.",
    ),
    ("Evet", "Hayır"): (
        "Cevabın Evet olduğunu söyleyemem.", "Evet demek abartı olur.", "Müşterinin Evet demesi alaycıydı.",
        "İlk bakışta cevap Evet.",
    ),
    ("Olumlu", "Olumsuz"): (
        "Olumlu demek zor.", "Olumlu olduğundan şüpheliyim.", "Olumlu olan yalnızca başlangıç.",
        "Başlığı Olumlu, gerisi şikâyet.",
    ),
    ("はい", "いいえ"): (
        "「はい」と言うには無理があります。", "「はい」は言い過ぎです。", "お客様の「はい」は皮肉でした。",
        "一見すると答えははいです。",
    ),
    ("肯定的", "否定的"): (
        "肯定的というには程遠い。", "肯定的と呼ぶのは難しい。", "肯定的なのは冒頭だけです。",
        "肯定的に見えるだけです。",
    ),
    ("是", "否"): ("恐怕不能回答“是”。", "很难回答“是”。", "客户说的“是”带着讽刺。", "乍一看答案是“是”。"),
    ("正面", "负面"): ("谈不上正面。", "离正面还差得远。", "正面的只有开头。", "标题看起来正面。"),
    ("예", "아니요"): (
        "예라고 하기에는 부족합니다.", "'예'는 지나친 표현입니다.", "고객의 '예'는 비꼬는 말이었습니다.",
        "언뜻 보면 답은 예입니다.",
    ),
    ("긍정", "부정"): (
        "긍정과는 거리가 멉니다.", "긍정으로 보기 어렵습니다.", "긍정인 것은 첫 문장뿐입니다.",
        "긍정처럼 보일 뿐입니다.",
    ),
    ("نعم", "لا"): (
        "من الصعب القول إن الجواب نعم.", "سيكون من المبالغة الإجابة بنعم.", "كانت نعم العميل ساخرة.",
        "للوهلة الأولى الجواب نعم.",
    ),
    ("إيجابي", "سلبي"): (
        "أشك في أن التقييم إيجابي.", "يصعب وصف التقييم بأنه إيجابي.", "البداية فقط إيجابي.",
        "العنوان إيجابي والباقي شكوى.",
    ),
    ("हाँ", "नहीं"): (
        "इसे हाँ कहना गलत होगा।", "हाँ कहना मुश्किल है।", "ग्राहक का हाँ व्यंग्य था।", "पहली नज़र में उत्तर हाँ है।",
    ),
    ("Ja", "Nej"): ("Jag tvivlar på att svaret är Ja.", "Det vore överdrivet att säga Ja."),
    ("Billing", "Shipping", "Technical"): (
        "The Billing page loads, the parcel is lost.", "He was transferred from Billing.",
        "She pressed 2 for Billing by accident.", "Shipping took nine days.", "Technical jargon confused her.",
        "The Billing address was read out.", "The IVR says press one for Billing.",
        "Her last ticket was about Shipping.", "The agent works in Technical.",
    ),
    ("Low", "Medium", "High"): (
        "High hopes, nothing else.", "It stops short of High.", "A High would trigger a page at night.",
        "The High Street branch was closed.", "Low fares lured him in.", "Last week the priority was High.",
    ),
    ("Resolved", "Escalated", "Pending"): (
        "The customer begged to have it Escalated.", "Escalated calls take longer.",
        "She had three other tickets Resolved last week.", "Pending charges show on his card.",
        "She wants it Resolved by Friday.", "It got Escalated, then withdrawn.", "Her previous case is Resolved.",
    ),
    ("Positiv", "Negativ"): (
        "Wer das Positiv nennt, hat den Text nicht gelesen.", "Mit Positiv hat das wenig zu tun.",
        "Positiv klingt nur der erste Satz.", "Positiv zu nennen ist daran nur die Farbe.",
        "Beim letzten Mal war die Stimmung Positiv.", "Der Betreff ist Positiv formuliert.",
    ),
    ("Positif", "Négatif"): (
        "Il serait abusif de parler d'un avis Positif.", "Difficile d'y voir du Positif.", "Seul le début est Positif.",
        "Le titre est Positif, le reste est une plainte.", "Le client se voulait Positif.",
    ),
    ("सकारात्मक", "नकारात्मक"): (
        "इसे सकारात्मक मानना भूल होगी।", "केवल शुरुआत सकारात्मक है।", "शीर्षक सकारात्मक है, बाकी शिकायत।",
    ),
}  # fmt: skip
