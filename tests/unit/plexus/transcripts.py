"""More than two hundred transcripts: eleven conversations in the forms in which programs and people write them.

Each form states how it writes a turn; the turns are known, because the transcripts are made of them.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

#: (whether the customer speaks, the words) of each turn.
Turns = list[tuple[bool, str]]
SECRET = "fed up"
"""In the agent's words only: it must not get through a filter of the customer's turns."""

CONVERSATIONS: list[Turns] = [
    [(False, "Good morning, are you fed up?"), (True, "No, but my order is late."), (False, "I am sorry.")],
    [(True, "Hello."), (False, "Are you fed up?"), (True, "No.")],
    [(True, "I was told: no refund."), (False, "You must be fed up."), (True, "It said: wait until 10:30.")],
    [(False, "Fed up? I mean fed up with us?"), (True, "Well: yes and no. Note: it broke twice.")],
    [(True, "I asked the agent: where is it? He said: soon."), (False, "So you are fed up.")],
    [(True, "See https://shop.example:8080/order: it is there."), (False, "Are you fed up?"), (True, "Not at all!")],
    [(False, "Hello. I asked the customer before you. They were fed up."), (True, "Are they? Ha."), (False, "Yes.")],
    [(True, "It costs $5. I paid $10."), (False, "People are fed up here…"), (True, "Really?!")],
    [
        (False, "Fed up, are you?"),
        (True, "¿Perdón? Kein Problem – c’est la vie."),
        (False, "Still fed up?"),
        (True, "No."),
    ],
    [(True, "My number ends in 0100, sir."), (True, "Sorry, in 0101."), (False, "Do not be fed up.")],
    [
        (False, "You were fed up on 31/12/2023, at 9:15 sharp."),
        (True, "Was I? I recommend: nothing."),
        (False, "Fed up."),
    ],
]


@dataclass(frozen=True)
class Form:
    """A form of transcripts: the labels of both, how a turn is written, and what is between and around turns."""

    name: str
    agent: str
    customer: str
    turn: Callable[[int, str, str], str]
    between: str = "\n"
    before: str = ""
    speakers: tuple[str, ...] | None = None
    change: Callable[[str], str] = field(default=lambda words: words)

    def render(self, turns: Turns) -> str:
        """Return the conversation in this form."""
        written = [
            self.turn(number, self.customer if customer else self.agent, self.change(words))
            for number, (customer, words) in enumerate(turns)
        ]
        return self.before + self.between.join(written)


def clock(number: int, shape: str = "{:02}:{:02}") -> str:
    """Return the time at which a turn begins."""
    return shape.format(number // 60 + 1, (number * 7) % 60)


def without_marks(words: str) -> str:
    """Return words as a machine transcribes them: lower case, no punctuation, no figures."""
    kept = "".join(character for character in words.lower() if character.isalpha() or character in " ’")
    return " ".join(kept.split())


def with_colon(_: int, name: str, words: str) -> str:
    """Return a turn as `Agent: Hello.`"""
    return f"{name}: {words}"


FORMS = [
    Form("lines", "Agent", "Customer", with_colon),
    Form("one line", "Agent", "Customer", with_colon, " "),
    Form("one line, capitals", "AGENT", "CUSTOMER", with_colon, "  "),
    Form("one line, no blanks", "Agent", "Customer", lambda _, name, words: f"{name}:{words}", " "),
    Form("machine", "agent", "customer", with_colon, " ", change=without_marks),
    Form("blank lines", "Representative", "Caller", with_colon, "\n\n"),
    Form("windows", "Rep", "Client", with_colon, "\r\n"),
    Form("names", "Jane Doe (Agent)", "Bob O'Neil (Customer)", with_colon),
    Form("numbers", "Speaker 1", "Speaker 2", with_colon, speakers=("Speaker 2",)),
    Form("diarised", "spk_0", "spk_1", with_colon, speakers=("spk_1",)),
    Form("times first", "Agent", "Customer", lambda n, name, words: f"[{clock(n, '00:{:02}:{:02}')}] {name}: {words}"),
    Form("times first, one line", "Agent", "Customer", lambda n, name, words: f"[{clock(n)}] {name}: {words}", " "),
    Form("times after", "Agent", "Patient", lambda n, name, words: f"{name} ({clock(n)}): {words}"),
    Form("minutes", "Jane Doe", "Customer", lambda n, name, words: f"{name}  {clock(n, '{}:{:02}')}\n{words}", "\n\n"),
    Form("chat export", "Jane Doe", "Guest", lambda n, name, words: f"31/12/2023, 10:{n + 10} - {name}: {words}"),
    Form(
        "subtitles",
        "Agent",
        "Customer",
        lambda n, name, words: f"{n + 1}\n00:{clock(n)},000 --> 00:{clock(n)},900\n{name}: {words}\n",
    ),
    Form(
        "voice tags",
        "Agent",
        "Customer",
        lambda n, name, words: f"00:{clock(n)}.000 --> 00:{clock(n)}.900\n<v {name}>{words}</v>\n",
        before="WEBVTT\n\n",
    ),
    Form("markdown", "Agent", "Customer", lambda _, name, words: f"**{name}:** {words}", "\n\n"),
    Form("brackets", "Agent", "Customer", lambda _, name, words: f"[{name}] {words}", " "),
    Form("own lines", "Agent", "Customer", lambda _, name, words: f"{name}\n{words}"),
    Form("dashes", "Agent", "Customer", lambda _, name, words: f"{name} - {words}"),
    Form("tabs", "AGENT", "CUSTOMER", lambda _, name, words: f"{name}\t{words}"),
    Form("Chinese", "客服", "客户", lambda _, name, words: f"{name}：{words}", speakers=("客户",)),
    Form("German", "Berater", "Kunde", with_colon, " ", speakers=("Kunde",)),
]


def transcripts() -> Iterator[tuple[Form, Turns, str, list[str]]]:
    """Yield each form with each conversation: the turns, the transcript, and the customer's words as they are in it."""
    for form in FORMS:
        for turns in CONVERSATIONS:
            yield form, turns, form.render(turns), [form.change(words) for customer, words in turns if customer]
