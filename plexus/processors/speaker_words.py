"""Words, folded, that tell labels of speakers from other words before a colon."""

from __future__ import annotations

from plexus.processors.words import STOP_WORDS


def _split_words(text: str) -> frozenset[str]:
    return frozenset(word.strip() for word in text.split(","))


#: Roles of customers, unless a scorecard names others.
CUSTOMERS = _split_words(
    "customer, caller, client, guest, patient, kunde, kundin, anrufer, anruferin, cliente, klant, stranka, клиент, "
    "客户, 客戶, 顾客, 顧客, お客様, 고객"
)

#: Roles of others who speak in conversations with customers; alone, or as the last word of a name.
PEOPLE = _split_words(
    "agent, representative, rep, csr, operator, advisor, adviser, associate, assistant, manager, supervisor, "
    "technician, consultant, specialist, employee, receptionist, nurse, physician, therapist, clinician, interviewer, "
    "interviewee, moderator, salesperson, salesman, saleswoman, seller, buyer, bot, chatbot, robot, ivr, announcer, "
    "interpreter, translator, attendant, cashier, clerk, teller, dispatcher, trainer, helpdesk, coordinator, adjuster, "
    "counselor, counsellor, host, speaker, participant, user, visitor, member, subscriber, respondent, student, "
    "teacher, doctor, automated voice, virtual assistant, live agent, call center, call centre, "
    "berater, beraterin, mitarbeiter, mitarbeiterin, kunde, kundin, agentin, anrufer, anruferin, "
    "conseiller, conseillere, conseillère, agente, asesor, asesora, cliente, operador, operadora, atendente, "
    "operatore, klant, medewerker, agentka, stranka, svetovalec, svetovalka, 客户, 客服, 顾客, 坐席, 客戶, 顧客, "
    "オペレーター, お客様, 고객, 상담원"
)
#: With a customer's role before them, they are the other side: `Customer Service`.
DEPARTMENTS = _split_words(
    "service, services, support, care, success, relations, experience, desk, team, department, center, centre, line"
)
#: Words that come before a role: `Senior Support Agent`.
MODIFIERS = (
    CUSTOMERS
    | DEPARTMENTS
    | _split_words(
        "sales, senior, junior, live, virtual, call, account, case, claims, technical, tech, billing, insurance, "
        "medical, "
        "human, ai, automated, phone, chat, field, retail, store, branch, bank, travel, booking, front, office, shift, "
        "unknown, remote, first, second, third, new, other"
    )
)
#: The surest labels: one of them at the beginning of a text makes it a transcript.
CORE = CUSTOMERS | _split_words(
    "agent, representative, rep, operator, advisor, adviser, assistant, interviewer, bot, csr"
)
#: In names they are in lower case.
PARTICLES = _split_words(
    "de, la, las, los, del, da, do, dos, di, du, le, van, von, der, den, ten, ter, bin, ibn, al, el, y, e"
)
TITLES = _split_words("dr, mr, mrs, ms, prof, st, jr, sr, mx, rev")

#: Before a role they make it a part of a sentence: `I asked the agent: …`.
GLUE = _split_words(
    "the, a, an, my, our, your, his, her, their, its, this, that, these, those, every, each, another, any, some, one, "
    "of, to, by, from, with, for, at, as, and, or, but, than, about, into, told, tell, tells, ask, asked, asks, "
    "said, say, says, called, call, is, was, were, be, been, am, are, same, new, other, first, second, last, next, "
    "previous, angry, dear, der, die, das, den, dem, ein, eine, einen, mein, meine, le, la, les, un, une, mon, ma, "
    "el, los, una, mi, su, il, lo, o, os, um, uma"
)

NUMBERS = _split_words(
    "one, two, three, four, five, six, several, many, few, some, both, other, more, only, simple, main, big"
)

#: Words before a colon that are not names. Possible labels that consist of them only are not labels.
COMMON = (STOP_WORDS - {"me", "you", "us"}) | _split_words(
    "note, notes, ps, p.s, nb, n.b, update, edit, subject, re, fwd, date, time, to, from, cc, bcc, sent, summary, "
    "title, rating, ratings, review, reviews, comment, comments, pros, cons, pro, con, problem, problems, issue, "
    "issues, "
    "solution, reason, reasons, result, results, conclusion, example, examples, warning, important, attention, "
    "recommendation, overall, verdict, price, prices, quality, delivery, shipping, size, color, colour, model, order, "
    "number, order number, phone, email, e-mail, address, name, account, account number, reference, ref, id, total, "
    "amount, yes, no, yeah, ok, okay, well, hello, hi, hey, thanks, thank, sorry, please, first, second, third, "
    "firstly, secondly, thirdly, finally, lastly, anyway, also, plus, again, still, then, next, later, today, "
    "yesterday, tomorrow, monday, tuesday, wednesday, thursday, friday, saturday, sunday, fact, "
    "remember, look, listen, see, bottom line, point, however, therefore, would, not, recommend, told, said, asked, "
    "music, laughter, laughs, silence, pause, inaudible, crosstalk, applause, noise, background, hold, beep, cough, "
    "sigh, sighs, unintelligible, foreign, http, https, mailto, food, room, rooms, location, breakfast, parking, one, "
    "two, three, good, bad, best, worst, great, terrible, like, dislike, likes, dislikes, must, never, always, maybe, "
    "right, wrong, true, false, status, type, version, step, part, chapter, section, page, item, items, list, options, "
    "option, details, detail, info, information, background, context, description, features, verdict, tip, tips, tl;dr"
)
