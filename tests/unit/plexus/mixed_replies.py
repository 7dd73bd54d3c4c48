"""Replies of many forms, each with its value, that were written before the rules had read any of them."""

#: Classes → (reply, the class that it gives as its answer; None if it gives none).
MIXED: dict[tuple[str, ...], tuple[tuple[str, str | None], ...]] = {
    ("Yes", "No"): (
        ("<think>\nThe user wants to know if a refund was offered. The agent says 'we can certainly look at "
         "that'. Hmm, that isn't an offer. So No.\nWait, later: 'I've put the refund through'. That's "
         "Yes.\n</think>\n\nYes", "Yes"),
        ("<thinking>Could be No because the hold was long.</thinking>\n\n<answer>Yes</answer>", "Yes"),
        ("<think>The answer is Yes because", None),
        ("Okay, let me think. The agent said good morning. That counts as a greeting.\n</think>\n\nYes", "Yes"),
        ('{"reasoning": "The agent said \\"no\\" to the discount.", "answer": "Yes"}', "Yes"),
        ('{"Yes": 0.12, "No": 0.88}', None),
        ("| Criterion | Result |\n|---|---|\n| Greeting | Yes |\n| Disclosure | No |", None),
        ("| Question | Answer |\n|---|---|\n| Was a refund offered? | **No** |", "No"),
        ("Not a yes, not a no.", None),
        ("Did the agent verify the caller? (Yes/No)\nYes", "Yes"),
        ("Q: Was there a greeting?\nA: No", "No"),
        ('When the customer asks "is that a yes?", the agent replies "yes".', None),
        ("Leaning Yes but I can't be sure without the audio.", None),
        ("1. The agent greeted the caller.\n2. The agent gave their name.\n3. The agent asked for the "
         "postcode.\n\nTherefore: Yes", "Yes"),
        ("1. Yes\n2. No\n3. Yes", None),
        ("Absolutely! The agent confirmed the appointment.", None),
        ("Yep.", None),
    ),
    ("Positive", "Negative", "Neutral", "Mixed"): (
        ("<|channel|>analysis<|message|>Mentions both good food and bad service. Mixed? The final stars are 1. "
         "Negative seems tempting.<|end|><|start|>assistant<|channel|>final<|message|>Mixed", "Mixed"),
        ("<reasoning>Negative words dominate.</reasoning>\nFinal: Negative", "Negative"),
        ('{"label": "Positive"}\n{"label": "Negative"}', None),
        ("| Aspect | Sentiment |\n|---|---|\n| Food | Positive |\n| Service | Negative |\n| **Overall** | "
         "**Mixed** |", "Mixed"),
        ("### Classification\n**Neutral**\n\n### Explanation\nPurely factual question about opening hours.", "Neutral"),
        ("The review isn't negative, nor is it positive.", None),
        ("Options: Positive / Negative / Neutral / Mixed\nSelected: Neutral", "Neutral"),
        ("Please answer with one of: Positive, Negative, Neutral, Mixed.", None),
        ("Probably Negative.", "Negative"),
        ("Negative (low confidence)", "Negative"),
        ("It's a toss-up between Neutral and Mixed; gun to my head, Mixed.", None),
        ("Step 1: tone is angry.\nStep 2: no praise.\nStep 3: final label → Negative", "Negative"),
        ("I'm sorry, but I can't help with that.", None),
        ("As an AI, I don't have feelings, but the review is Positive.", "Positive"),
    ),
    ("Billing Issue", "Technical Issue", "Account Access", "Feature Request", "Other"): (
        ("<think>Login fails after password reset: that is Account Access rather than Technical "
         "Issue.</think>Account Access", "Account Access"),
        ('Here is the JSON you asked for:\n\n```json\n{"category": "Feature Request"}\n```\n\nLet me know if you '
         'need anything else!', "Feature Request"),
        ('{"categories": ["Billing Issue", "Account Access"]}', None),
        ('["Billing Issue"]', "Billing Issue"),
        ("**Category:** Technical Issue\n\n**Reasoning:** The app crashes on startup; it has nothing to do with "
         "billing.", "Technical Issue"),
        ("This could be a Billing Issue or an Account Access problem.", None),
        ("1. Billing Issue - not applicable\n2. Technical Issue - applicable\n3. Account Access - no", None),
        ("1. Identify the topic: refund of a double charge.\n2. Match to category: Billing Issue.\n\nAnswer: "
         "Billing Issue", "Billing Issue"),
        ("Sure! This ticket is a **Feature Request**. 🚀", "Feature Request"),
    ),
    ("Low Risk", "Medium Risk", "High Risk"): (
        ("◁think▷low at first, then the customer threatens to sue◁/think▷High Risk", "High Risk"),
        ("| Factor | Level |\n|:--|:--|\n| Payment history | Low Risk |\n| Fraud flags | Low Risk |\n\n**Overall "
         "assessment: Medium Risk**", "Medium Risk"),
        ("There's no high risk here.", None),
        ("Somewhere between Low Risk and Medium Risk.", None),
    ),
    ("Approved", "Denied", "Escalated"): (
        ('{"decision": "Denied", "alternatives": ["Approved", "Escalated"]}', "Denied"),
        ('{"decision": null, "note": "Approved pending documents"}', None),
        ("The request should not be approved.", None),
        ("Most likely Denied, unless the receipt turns up.", None),
    ),
    ("True", "False"): (
        ('{"result": true}', "True"),
        ('```\n{"is_complaint": false}\n```', "False"),
        ("It is false that the agent apologised... actually, no: line 9 has an apology. True.", None),
        ("That statement is not true.", None),
    ),
    ("1", "2", "3", "4", "5"): (
        ('{"rating": 4}', "4"),
        ("Rating: 4 out of 5", "4"),
        ("⭐⭐⭐⭐", None),
        ("I'd rate it 3. There were 2 complaints and 1 compliment.", None),
    ),
    ("Urgent", "Not Urgent"): (
        ('{"urgency":"not urgent","score":2}', "Not Urgent"),
        ("I wouldn't call this urgent.", None),
        ("This is not an urgent matter.", None),
        ("Urgent!!! The customer is locked out of the building.", "Urgent"),
    ),
    ("Met", "Not Met", "Partially Met"): (
        ("__Result__: Not Met", "Not Met"),
        ("This requirement was not met by the agent.", "Not Met"),
        ("✔ Met", "Met"),
        ("Met: greeting, name. Not Met: verification.", None),
    ),
    ("A", "B", "C", "D", "E"): (
        ("**Answer: (C)**", "C"),
        ("Option B fits best.", "B"),
        ("A customer would find this confusing.", None),
    ),
    ("Ja", "Nein"): (
        ("Ja, der Kunde hat ausdrücklich um Rückruf gebeten.", "Ja"),
        ("Antwort: Nein – es wurde kein Rabatt angeboten.", "Nein"),
        ("Das lässt sich nicht mit Ja beantworten.", None),
    ),
    ("Beschwerde", "Lob", "Anfrage", "Kündigung"): (
        ("Kategorie: Kündigung", "Kündigung"),
        ("Es handelt sich um eine Beschwerde.", "Beschwerde"),
        ("Es handelt sich nicht um eine Beschwerde, sondern um eine Anfrage.", None),
    ),
    ("Satisfecho", "Insatisfecho", "Neutro"): (
        ("**Clasificación:** Insatisfecho\n\nEl cliente esperó tres semanas.", "Insatisfecho"),
        ("El cliente no está satisfecho.", None),
    ),
    ("Sí", "No"): (
        ("Respuesta: Sí.\nJustificación: el agente no pidió el DNI, pero sí confirmó la dirección.", "Sí"),
    ),
    ("是", "否"): (
        ("答案:是", "是"),
        ("这不是投诉。", None),
    ),
    ("投诉", "咨询", "表扬", "其他"): (
        ("分类:投诉\n理由:客户要求退款,并非咨询。", "投诉"),
        ("该工单属于“咨询”。", "咨询"),
    ),
    ("Da", "Ne"): (
        ("Da, agent se je predstavil.", "Da"),
        ("Odgovor: Ne", "Ne"),
        ("Mislim, da je bil agent prijazen.", None),
    ),
    ("Pohvala", "Pritožba", "Vprašanje"): (
        ("Gre za pritožbo.", None),
        ("**Kategorija:** Pritožba", "Pritožba"),
    ),
    ("نعم", "لا"): (
        ("نعم، قام الموظف بالتحقق من هوية العميل.", "نعم"),
        ("الإجابة: لا", "لا"),
    ),
    ("إيجابي", "سلبي", "محايد"): (
        ("التصنيف: سلبي", "سلبي"),
        ("التعليق ليس سلبيًا.", None),
    ),
    ("Да", "Нет"): (
        ("Ответ: Нет.", "Нет"),
        ("Да, оператор представился.", "Да"),
    ),
    ("Sim", "Não"): (
        ("Não, o atendente não ofereceu reembolso.", "Não"),
    ),
    ("긍정", "부정", "중립"): (
        ("분류: 부정", "부정"),
    ),
    ("Sì", "No"): (
        ("Sì, l'operatore ha verificato l'identità.", "Sì"),
    ),
    ("Tak", "Nie"): (
        ("Odpowiedź: **Nie**", "Nie"),
    ),
    ("हाँ", "नहीं"): (
        ("उत्तर: हाँ", "हाँ"),
    ),
    ("כן", "לא"): (
        ("התשובה היא: לא", "לא"),
    ),
    ("Có", "Không"): (
        ("Câu trả lời: Không", "Không"),
    ),
    ("Ja", "Nee"): (
        ("Nee, de medewerker heeft niet teruggebeld.", "Nee"),
    ),
    ("Réclamation", "Question", "Remerciement"): (
        ("Catégorie : Réclamation", "Réclamation"),
    ),
    ("苦情", "質問", "感謝"): (
        ("分類:感謝", "感謝"),
    ),
}  # fmt: skip

#: (reply, the number that it gives; None if it gives none).
SCORED: tuple[tuple[str, str | None], ...] = (
    ("<think>Politeness 8, speed 4, average 6.</think>\n6", "6"),
    ('{"score": 7, "max": 10}', "7"),
    ('{"score": "8/10", "reason": "2 delays"}', "8"),
    ("**Score:** 85/100", "85"),
    ("Score = 3.5", "3.5"),
    ("I'd say about 70.", "70"),
    ("On a scale of 1 to 10, this is an 8.", "8"),
    ("Scale: 1-5\nScore: 4", "4"),
    ("| Aspect | Score |\n|---|---|\n| Tone | 4 |\n| Speed | 2 |", None),
    ("| Aspect | Score |\n|---|---|\n| Tone | 4 |\n| Speed | 2 |\n| **Overall** | **3** |", "3"),
    ("Neither 3 nor 4.", None),
    ("It's not a 5.", None),
    ("Zero.", "0"),
    ("−2", "-2"),
    ("Score: 1,250", "1250"),
    ("Note: 14/20", "14"),
    ("得分：9分", "9"),
    ("٧", "7"),
    ("I counted 3 interruptions in 12 minutes.", None),
    ("4.5 stars ⭐", "4.5"),
    ("N/A", None),
    ("Final score: 2 + 3 = 5", None),
)  # fmt: skip

#: Replies whose JSON object, or its like, is the answer to "Yes or No?": (reply, the answer).
STANDING: tuple[tuple[str, str], ...] = (
    ('{"answer": "No"}\n\nThe agent never offered a refund.', "No"),
    ('Here is my answer in the requested JSON format:\n\n{"answer": "Yes"}', "Yes"),
    ('The agent did not greet the caller, so:\n{"answer": "No"}', "No"),
    ('I did not find any greeting in the call.\n{"answer": "No"}', "No"),
    ('I could not find a greeting. Here is the result: {"answer": "No"}', "No"),
    ('{"answer": "Yes"}\n\nNote: the customer said "no" first.', "Yes"),
    ('{"answer": "Yes"}\n\n- Greeting: Yes\n- ID check: No', "Yes"),
    ('{"answer": "Yes"}\n\nHowever, the agent was slow.', "Yes"),
    ('{"answer": "Yes"}\n\nI\'d be happy to help with more calls!', "Yes"),
    ('{"answer": "No"}\n\nThe agent said: "I cannot help you with that."', "No"),
    ('{"answer": "No"}\n\nI cannot find a greeting in the call.', "No"),
    ('{"answer": "Yes"}\n\nBut no refund was needed.', "Yes"),
    ('By the criteria (Yes if offered, No otherwise), here is the JSON: {"answer": "Yes"}', "Yes"),
    ('As the agent did not greet the customer, here is the result:\n{"answer": "No"}', "No"),
    ('The agent does not ask for consent → {"answer": "No"}', "No"),
    ('Final answer:\n```json\n{"answer": "Yes"}\n```\nLet me know if you want changes!', "Yes"),
    ('{"answer": "Yes"}\nThe correct procedure was followed.', "Yes"),
    ('Q: Does the agent greet?\nA: {"answer": "Yes"}', "Yes"),
    ('{"reasoning": "Actually, the answer is No. Hmm, wait: she did greet.", "answer": "Yes"}', "Yes"),
    ('{"answer": "No", "reason": "But the agent said Yes."}', "No"),
    ('{"answer": "No", "reason": "Wait times were long."}', "No"),
    ("Answer: No\nReason: The greeting is missing.", "No"),
)

#: Replies whose JSON object, or its like, is an example or a draft, or is denied or corrected around it.
TAKEN_BACK: tuple[str, ...] = (
    '{"answer": "No"}\n\nActually, Yes fits better.',
    '{"answer": "No"}\n\nWait, on reflection the answer should be Yes.',
    '{"answer": "No"}\n\nCorrection: Yes',
    '{"answer": "Yes"}\n\nHmm, looking at line 4 again, the answer is No.',
    '{"answer": "Yes"}\n\nHowever, the correct answer is No.',
    '{"answer": "Yes"}\n\nI made a mistake. It is No.',
    '{"answer": "Yes"}\nKorrektur: No',
    '{"answer": "Yes"}\n\nNo, wait.',
    '```json\n{"answer": "Yes"}\n```\n\nOops, I misread line 4. The correct value is No.',
    'Draft: {"answer": "No"} — but I take that back: Yes',
    'Draft:\n```json\n{"answer": "Yes"}\n```',
    'Previously labelled: {"answer": "Yes"}',
    '{"answer": "Yes"}\nI cannot determine this.',
    '{"answer": "Yes"}\n\nHowever, I can\'t assess a call without its text.',
    '{"answer": "No"}\n\nI am not sure, though.',
    '{"answer": "No"} It is hard to tell.',
    'I cannot answer this question.\n{"answer": "Yes"}',
    'Sorry, I do not have access to the recording.\n\n```json\n{"answer": "No"}\n```',
    'I first thought {"answer": "Yes"}, now I am not sure.',
    'The answer would be {"answer": "Yes"} if the agent had greeted, but he did not.',
    'If the agent had greeted: {"answer": "Yes"}',
    'Expected format: {"answer": "Yes"}\n\nMy answer: No',
    'Output format:\n{"answer": "Yes"}',
    'Example: {"answer": "Yes"}',
    'For example: {"answer": "Yes"}',
    'e.g. {"answer": "Yes"}',
    'Template: {"answer": "Yes"}',
    'Please reply as {"answer": "Yes"} or {"answer": "No"}.',
    '{"answer": "Yes"}?',
    '{"answer": "Yes"} is wrong.',
    'It is not {"answer": "Yes"}.',
    '{"answer": "No", "explanation": "Actually, Yes fits better."}',
    "Answer: No\nReason: Actually, Yes fits better.",
)

#: Classes → (reply of an answer and its reasons in one of their languages, the answer; None if there is none).
REASONED: tuple[tuple[tuple[str, ...], str, str | None], ...] = (
    (("Sí", "No"), '{"respuesta": "Sí", "razón": "No pidió el DNI."}', "Sí"),
    (("Sí", "No"), "**Clasificación:** No\n**Motivo:** El cliente dijo que sí dos veces.", "No"),
    (("Sí", "No"), "Respuesta: Sí\nRespuesta: No", None),
    (("Sí", "No"), "Respuesta: Sí\nAlternativa: No", None),
    (("Ja", "Nein"), "Antwort: Nein\nBegründung: Ja wäre nur mit Zustimmung richtig.", "Nein"),
    (("Ja", "Nein"), '{"antwort": "Nein", "begründung": "Der Kunde sagt ja."}', "Nein"),
    (("Ja", "Nein"), "Antwort: Nein\nBegründung: Ich habe mich geirrt, Ja.", None),
    (("Ja", "Nein"), "Antwort: Nein\nFrage: Ja?", None),
    (("Oui", "Non"), "Réponse : Non\nJustification : le client dit oui, l'agent jamais.", "Non"),
    (("投诉", "咨询"), "分类：投诉\n理由：客户要求退款，并非咨询。", "投诉"),
    (("投诉", "咨询"), '{"分类": "投诉", "理由": "并非咨询"}', "投诉"),
    (("Да", "Нет"), "Ответ: Нет\nОбоснование: оператор сказал «да» только один раз.", "Нет"),
    (("نعم", "لا"), "الإجابة: نعم\nالسبب: لا يوجد اعتراض.", "نعم"),
    (("Pohvala", "Pritožba"), "Odgovor: Pritožba\nRazlog: Pohvala je le vljudnost.", "Pritožba"),
    (("苦情", "質問"), "分類：苦情\n理由：質問ではない。", "苦情"),
    (("긍정", "부정"), "분류: 부정\n이유: 긍정 표현이 없음", "부정"),
)

#: Classes → (reply of a table with a concluding row, or of a sentence in another language, the answer).
CONCLUDED: tuple[tuple[tuple[str, ...], str, str | None], ...] = (
    (("Good", "Bad", "Mixed"), "| Part | Label |\n|---|---|\n| Food | Good |\n| **Overall** | **Mixed** |", "Mixed"),
    (("Good", "Bad", "Mixed"), "| Part | Label |\n|:--|--:|\n| Food | Good |\n| Gesamturteil | Bad |\n", "Bad"),
    (
        ("Good", "Bad", "Mixed"),
        "| Part | Label |\n|--|--|\n| Food | Good |\n| Overall | Bad |\n\nFinal answer: Good",
        None,
    ),
    (("Good", "Bad", "Mixed"), "| Part | Label |\n|---|---|\n| Overall | Mixed |\n| Food | Good |", None),
    (("Good", "Bad", "Mixed"), "| Part | Label |\n|---|---|\n| Food | Good |\n| Overall service | Bad |", None),
    (("Good", "Bad", "Mixed"), "| Part | Label |\n|---|---|\n| Food | Good |\n| Overall | not Bad |", None),
    (("Yes", "No"), "| A | B | C |\n|---|---|---|\n| 1 | Yes | No |\n| Overall | Yes | No |", None),
    (("Beschwerde", "Lob"), "Hierbei handelt es sich um ein Lob.", "Lob"),
    (("Beschwerde", "Lob"), "Es handelt sich nicht um eine Beschwerde.", None),
    (("Beschwerde", "Lob"), "Im ersten Absatz handelt es sich um eine Beschwerde.", None),
    (("Beschwerde", "Lob"), "Der Agent meint, es handelt sich um eine Beschwerde.", None),
    (("Beschwerde", "Lob"), "Es handelt sich um keine Beschwerde.", None),
    (("Beschwerde", "Lob"), "Handelt es sich um eine Beschwerde?", None),
    (("投诉", "咨询"), "这封邮件是投诉。", "投诉"),
    (("投诉", "咨询"), "上一封邮件是投诉。", None),
    (("投诉", "咨询"), "客户的邮件不是投诉。", None),
)

#: Replies to "Yes or No?" that say that the answer is not certain, and (reply, answer) of doubts about other things.
UNSURE: tuple[str, ...] = (
    "Leaning Yes but I can't be sure without the audio.", "I lean Yes, but I'm not certain.",
    "Probably Yes, but it's hard to tell.", "Yes, I think, but I'm not sure.", "Yes, not entirely sure though.",
    "Leaning Yes, but there isn't enough information to decide.", "Leaning Yes; insufficient evidence to be certain.",
)  # fmt: skip
SURE: tuple[tuple[str, str], ...] = (
    ("No, the customer is not sure.", "No"), ("No, the agent did not sound certain.", "No"),
    ("Yes, and I am not sure why he asks.", "Yes"), ("Yes. I am not sure about the second call.", "Yes"),
    ("No, there isn't enough information in the call.", "No"), ("Yes, she had not enough money to pay.", "Yes"),
)  # fmt: skip

#: (reply of an object or a table, the number that it gives; None if it gives none).
MARKED: tuple[tuple[str, str | None], ...] = (
    ("| Part | Score |\n|---|---|\n| Tone | 4 |\n| Overall | 3/5 |", "3"),
    ("| Part | Score |\n|---|---|\n| Tone | 4 |\n| Overall | 3-4 |", None),
    ('{"score": 4}\n\nCorrection: 3', None),
    ('{"score": 4}\n\nActually, the correct score is 3.', None),
    ('{"score": 4}\n\nHmm, 3.', None),
    ('Example: {"score": 4}', None),
    ('{"score": 4}\n\nThere were 2 faults.', "4"),
    ('{"score": 4, "reason": "But 2 calls were late"}', "4"),
    ('{"score": 4}\n\nActually, 3 agents answered.', "4"),
)
