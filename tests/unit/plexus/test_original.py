"""Scorecards of the original: Python that becomes expressions, parts without a counterpart, and `plexus import`."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import plexus
from plexus.commands.import_ import command
from plexus.exceptions import InvalidScorecard
from plexus.language.expression import Expression
from plexus.original import python_code
from plexus.original.python_names import Names, UnsupportedCode

MODULE = "import logging\nNAMES = {7: 'seven'}\nSIGN: str = '!'\nOTHER = len(NAMES)\n"
SCORE = "def score(parameters, input):\n    "
LISTED = """a: list = []
    if 'I' in input.text:
        a.append('x')
    if 'Z' in input.text:
        a.append('y')
    a.append('z')
    {last}"""
VALUES = {"text": "I want money", "metadata": {"school": "MIT", "age": 7}, "kind": "Yes"}


@pytest.mark.parametrize(
    ("body", "value"),
    [
        ("return Score.Result(parameters=parameters, value='A')", "A"),
        ("return Score.Result(value='A' if 'money' in input.text else 'B')", "A"),
        ("return Score.Result(value=input.metadata['school'].lower())", "mit"),
        ("return Score.Result(value=input.metadata.get('none', 'x'))", "x"),
        ("return Score.Result(value=input.metadata.get('kind'))", "Yes"),
        ("x = len(input.text)\n    y = x * 2\n    return Score.Result(value='long' if y > 20 else 'short')", "long"),
        (
            "if input.metadata.get('age') > 5:\n        return Result(value='old')\n    return Result(value='new')",
            "old",
        ),
        ("a = 'n'\n    if 'I' in input.text:\n        a = 'y'\n    return Result(value=a)", "y"),
        (
            "a = 'n'\n    if 'Z' in a:\n        a = 'y'\n    elif a:\n        pass\n    return Result(value=a)",
            "n",
        ),
        ("'''Doc.'''\n    print(input.text)\n    logging.info('x')\n    return Result(value='A')", "A"),
        ("return Result(value='A' if any(w in input.text for w in ['x', 'want']) else 'B')", "A"),
        ("return Result(value='A' if all(w in input.text for w in ['x', 'want']) else 'B')", "B"),
        ("return Result(value=f\"{input.metadata['school']}!\")", "MIT!"),
        ("return Result(value='A') if input.text else Result(value='B')", "A"),
        ("a = 1\n    a += len(input.metadata['school'])\n    return Result(value=str(a))", "4"),
        (LISTED.format(last="return Result(value=', '.join(a))"), "x, z"),
        (LISTED.format(last="return Result(value='some' if a else 'none')"), "some"),
        (
            "a = 'n'\n"
            + "".join(f"    if {n} < 6:\n        a = '{n}'\n" for n in range(40))
            + "    return Result(value=a)",
            "5",
        ),
        (
            "found = re.search(r'M[A-Z]T', input.metadata['school'])\n    return Result(value='A' if found else 'B')",
            "A",
        ),
        ("return Result(value='A' if re.search('i WANT', input.text) else 'B')", "B"),
        ("return Result(value='A' if re.search('i WANT', input.text, re.I) is not None else 'B')", "A"),
        ("return Result(value='A' if re.search('i WANT', input.text, flags=re.IGNORECASE) is None else 'B')", "B"),
        ("return Result(value='A' if re.match('want', input.text) else 'B')", "B"),
        ("return Result(value='A' if re.match('I|want', input.text) else 'B')", "A"),
        ("return Result(value='A' if re.fullmatch('I want', input.text) else 'B')", "B"),
        ("return Result(value=input.text.replace('money', 'time'))", "I want time"),
        ("return Result(value=getattr(input, 'text', ''))", "I want money"),
        (
            "m = 'x' if re.search(r'\\bmoney\\b', input.text) else 'y'\n    return Result(value=f'got {m} {1}{\"s\"}')",
            "got x 1s",
        ),
        ("a = '\\n'\n    b = '\\\\'\n    return Result(value=f'{a}{b}{None}')", "\n\\None"),
        (
            "m = (input.metadata or {}).get('kind')\n    return Result(value=m if 'kind' in input.metadata else 'B')",
            "Yes",
        ),
        ("return Result(value=input.metadata.get('kind') if input.metadata else 'B')", "Yes"),
        ("return Result(value='A' if input.metadata and input.metadata['kind'] == 'Yes' else 'B')", "A"),
        ("return Result(value=','.join([input.metadata[key] for key in ['school']]))", "MIT"),
        ("log_info('x')\n    if input.text:\n        print(1)\n    return Result(value='A')", "A"),
        ("return Result(value='A' if input.metadata.get('kind') in {'Yes', 'No'} else 'B')", "A"),
        ("return Result(value='A' if 'Yes' not in {input.metadata.get('kind')} else 'B')", "B"),
        (
            "a = ['x']\n    a.extend(['y', input.metadata['school']])\n    return Result(value=', '.join(a))",
            "x, y, MIT",
        ),
        ("return Result(value=NAMES.get(input.metadata['age'], 'none') + SIGN)", "seven!"),
        ("SIGN = '?'\n    return Result(value=SIGN)", "?"),
    ],
)
def test_python_that_is_an_expression_has_its_value(body: str, value: str) -> None:
    """Assignments, branches, returns and logging become one expression with the value of the function."""
    expression, *_ = python_code.read_classifier(f"{MODULE}{SCORE}{body}\n", Names({"kind"}))
    assert Expression(expression)(VALUES) == value


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("for a, b in input.text:\n        pass\n    return Result(value='A')", "line 2 of the code: .*For"),
        ("while True:\n        return Result(value='A')", "While"),
        ("a, b = 1, 2\n    return Result(value='A')", "more than one name"),
        ("return 'A'", "something else than Score.Result"),
        ("return Result(explanation='A')", "no value"),
        ("return Result(value=__import__('os').environ['HOME'])", "__import__"),
        ("return Result(value=open('/etc/passwd').read())", "open"),
        ("return Result(value=input.__class__)", "it uses 'input'"),
        ("return Result(value=(lambda: 1)())", "only functions and methods"),
        ("import os\n    return Result(value=os.environ['HOME'])", "it uses 'os'"),
        ("x = = 1", "not Python"),
        ("if input.text:\n        a = 'x'\n    return Result(value=a)", "it uses 'a'"),
        ("return Result(value=re.findall('a', input.text)[0])", "re.findall.*next: write matches"),
        ("return Result(value=re.search('(a)', input.text).group(1))", "no method 'group'"),
        ("return Result(value=bool(re.search('(?=a)', input.text)))", "RE2 refuses the pattern"),
        ("return Result(value=bool(re.search('a', input.text, re.S)))", "calls re.search"),
        ("return Result(value=bool(re.search(input.text, 'a')))", "calls re.search"),
        (
            "if 'x' in input.text:\n        a = f'{1:.2f}'\n    else:\n        a = ''\n    return Result(value=a)",
            "^line 3 .*formats",
        ),
        ("return Result(value=f'{input.text!r}')", "formats are not part of the language. next: write {round"),
        ("return Result(value=str([a for a, b in [['x', 'y']]]))", "one plain variable"),
        ("return Result(value=str({**{}}))", r"\*\* is not part of the language"),
        ("return Result(value=str(input.metadata))", "the metadata as a whole.*next: name the key"),
        ("return Result(value=','.join([input.metadata[key] for key in ['kind']]))", "the metadata as a whole"),
        ("a = []\n    a.append(1, 2)\n    return Result(value='A')", "Expr"),
        ("a = []\n    a.extend(input.text)\n    return Result(value='A')", "Expr"),
        ("return Result(value=str(OTHER))", "it uses 'OTHER'"),
        (
            "return Result(value='%s has %d' % (input.text, 1))",
            "^line 2 .*computes with a text.*next: write an f-string",
        ),
        ("a = '-' * 3\n    return Result(value=a + input.text)", "^line 2 .*computes with a text"),
        ("return Result(value=str(len([0] * 3)))", "computes with a text or a list"),
        ("return Result(value='{} words'.format(3))", "no method 'format'.*next: write an f-string"),
        ("return Result(value=str('x'.casefold()))", "no method 'casefold'.*next: write fold"),
        (
            "return Result(value=str(isinstance(input.text, str)))",
            "it uses 'isinstance'.*next: compare the value itself",
        ),
    ],
)
def test_other_python_is_refused_with_its_line(body: str, reason: str) -> None:
    """Unpacking loops, and all that the restricted language refuses, name the line and the reason; nothing runs."""
    with pytest.raises(UnsupportedCode, match=reason):
        python_code.read_classifier(f"{SCORE}{body}\n", Names({"kind"}))


def test_python_whose_paths_explode_is_refused_after_a_bounded_number_of_parts() -> None:
    """Thirty conditions that may return have 2^30 paths, and thirty doublings of a name a billion parts."""
    inner = "            return Result(value='{n}')\n"
    conditions = "a = 'x'\n" + "".join(
        f"    if 'w{n}' in input.text:\n        if 'v{n}' in input.text:\n{inner.format(n=n)}" for n in range(30)
    )
    doublings = "a = input.text\n" + "    a = a + a\n" * 30
    for body in (conditions, doublings):
        with pytest.raises(UnsupportedCode, match="more than 5000 parts"):
            python_code.read_classifier(f"{SCORE}{body}    return Result(value=a)\n", Names(set()))


CARD = """\
name: Refund
model_provider: ChatOpenAI
model_name: gpt-4o-mini
graph:
  - name: first
    class: {kind}
    valid_classes: [Yes, No]
    user_message: "{{{{ text }}}}"
output: {{value: classification, explanation: explanation}}
"""


def test_a_part_without_a_counterpart_is_an_error_at_its_line() -> None:
    """A class of nodes that does not exist here is a problem with line and column, and nothing else is reported."""
    with pytest.raises(InvalidScorecard) as caught:
        plexus.load(CARD.format(kind="AgenticExtractor"))
    assert str(caught.value) == (
        "scorecard.yaml:6:12: the node class 'AgenticExtractor' has no counterpart. next: use Classifier, Extractor, "
        "Generator, LogicalClassifier or FuzzyMatchClassifier (at graph[0].class)"
    )


def test_a_thousand_conditions_are_a_problem_of_the_scorecard() -> None:
    """Code that is too deep for an expression is a problem with its line, and no failure of the library."""
    chain = "".join(f"\n            if {n}: return Result(value='{n}')" for n in range(2000))
    code = f"\n    code: |\n      def score(p, i):{chain}\n            return Result(value='x')\n"
    with pytest.raises(InvalidScorecard, match=r"scorecard\.yaml:5:11: "):
        plexus.load(f"name: S\ngraph:\n  - name: n\n    class: LogicalClassifier{code}")


def test_a_problem_of_a_translated_score_has_the_line_of_the_original() -> None:
    """A problem of the translated scorecard is reported at its place in the original's file."""
    with pytest.raises(InvalidScorecard) as caught:
        plexus.load(CARD.format(kind="Classifier").replace("{{ text }}", "{{ txet }}"))
    assert str(caught.value).startswith("scorecard.yaml:8:19: nothing defines 'txet'")


def test_a_scorecard_with_the_dialect_is_translated_as_a_whole() -> None:
    """`dialect: plexus-1` applies to every score of a scorecard, and to its processors."""
    card = plexus.load(
        "dialect: plexus-1\nname: Calls\nkey: Calls 2\nprocessors: [{class: ExpandContractionsProcessor}]\nscores:\n"
        "  - {name: A, class: KeywordClassifier, keywords: [refund], id: 5, version: x}\n"
    )
    assert (card.key, card.scores[0].id) == ("calls-2", "5")
    assert [processor.class_name for processor in card.scores[0].processors] == ["ExpandContractions"]


def import_folder(folder: Path, *options: str) -> Result:
    """Import a folder with one file of each verdict."""
    folder.mkdir()
    (folder / "ours.yaml").write_text("name: A\nkey: a\nscores: [{name: S, class: KeywordClassifier, keywords: [x]}]\n")
    (folder / "below").mkdir()
    yes_or_no = CARD.format(kind="YesOrNoClassifier").replace("    valid_classes: [Yes, No]\n", "")
    (folder / "below" / "one.yml").write_text(yes_or_no)
    (folder / "bad.yaml").write_text(CARD.format(kind="Classifier").replace("[Yes, No]", "[]"))
    (folder / "notes.txt").write_text("no card")
    return CliRunner().invoke(command, [str(folder), *options], standalone_mode=False)


def test_import_sorts_files_into_three_verdicts(tmp_path: Path) -> None:
    """Each YAML file loads as it is, is translated, or needs a hand with line and reason; then the exit code is 1."""
    done = import_folder(tmp_path / "cards")
    assert done.return_value == 1
    assert done.stderr.endswith("\n3 files: 1 loads as it is, 1 translated, 1 needs a hand\n")
    assert f"{tmp_path}/cards/below/one.yml: translated" in done.stdout
    assert "  line 7: error: " in done.stdout


def test_imported_scorecards_load_and_lint_clean(tmp_path: Path) -> None:
    """`--output` writes a scorecard of this library without errors, at its place below the folder."""
    import_folder(tmp_path / "cards", "--output", str(tmp_path / "out"))
    written = sorted(path.relative_to(tmp_path / "out").as_posix() for path in (tmp_path / "out").rglob("*.y*ml"))
    assert written == ["below/one.yml", "ours.yaml"]
    card = plexus.load_file(tmp_path / "out" / "below" / "one.yml")
    assert card.scores[0].configuration.class_name == "LangGraphScore"


def test_the_report_is_the_same_as_json_and_as_a_page(tmp_path: Path) -> None:
    """Every remark of the JSON is on the page, and the page loads nothing from elsewhere."""
    done = import_folder(tmp_path / "cards", "--json", "--report", str(tmp_path / "report.html"))
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    for card in json.loads(done.stdout):
        assert card["file"] in page
        assert all(str(remark["line"]) in page for remark in card["remarks"])
    assert "http" not in page
    assert "<script" not in page


def test_import_never_writes_over_what_it_reads(tmp_path: Path) -> None:
    """Output over the imported folder and a report over one of its files are refused together, with no change."""
    folder = tmp_path / "cards"
    done = import_folder(folder, "--output", str(folder), "--report", str(folder / "ours.yaml"))
    assert "choose another --output" in str(done.exception)
    assert "choose another --report" in str(done.exception)
    assert (folder / "ours.yaml").read_text().startswith("name: A")


def test_two_files_never_become_one_scorecard(tmp_path: Path) -> None:
    """Files of one name in two folders are refused with both names, and nothing is written."""
    for place in ("a", "b"):
        import_folder(tmp_path / place)
    files = [str(tmp_path / place / "ours.yaml") for place in ("a", "b")]
    done = CliRunner().invoke(command, [*files, "--output", str(tmp_path / "out")], standalone_mode=False)
    assert all(file in str(done.exception) for file in files)
    assert not (tmp_path / "out").exists()


METADATA = """\
name: Age
graph:
  - name: age
    class: LogicalClassifier
    code: |
      def score(parameters, input):
          known = input.metadata.get("age")
          if known is None:
              return Score.Result(value="unknown")
          if known == True:
              return Score.Result(value="a boolean")
          if known == 7 or known == 3.5:
              return Score.Result(value="a number")
          return Score.Result(value=f"text {known}")
output: {value: classification}
"""


@pytest.mark.parametrize(
    ("stored", "value"),
    [
        ("7", "a number"),
        (7, "a number"),
        ("3.5", "a number"),
        ("true", "a boolean"),
        ("null", "unknown"),
        ('"x"', "text x"),
        ("x", "text x"),
        ("007", "text 007"),
        ("[", "text ["),
        ("NaN", "text NaN"),
    ],
)
def test_metadata_is_decoded_as_the_original_does(stored: object, value: str) -> None:
    """The original's worker takes each text of the metadata that is JSON for what it encodes; others stay texts."""
    card = plexus.load(METADATA)
    assert plexus.score(card, "Age", plexus.Item("text", {"age": stored})).value == value


def test_decoding_is_a_key_that_the_imported_scorecard_has(tmp_path: Path) -> None:
    """`plexus import` writes `decode_metadata` for a score that reads metadata, and for no other."""
    (tmp_path / "age.yaml").write_text(METADATA)
    (tmp_path / "refund.yaml").write_text(CARD.format(kind="Classifier"))
    CliRunner().invoke(command, [str(tmp_path), "--output", str(tmp_path / "out")], standalone_mode=False)
    assert "decode_metadata: true" in (tmp_path / "out" / "age.yaml").read_text()
    assert "decode_metadata" not in (tmp_path / "out" / "refund.yaml").read_text()


def test_the_key_changes_no_hash_of_a_score_without_it() -> None:
    """A score whose metadata is not decoded has the hash that it had before the key existed."""
    text = "name: A\nkey: a\nscores: [{name: S, class: KeywordClassifier, keywords: [x], item: {processors: []%s}}]"
    plain, off, on = (
        plexus.load(text % more).scores[0].configuration_hash
        for more in ("", ", decode_metadata: false", ", decode_metadata: true")
    )
    assert plain == off == "f40138c5022154b7b8bb3cfd95fd0768fd47a03cded120949c3fc2dad21ac624"
    assert on != off
