"""Whatever is answered to a question: it is refused before anything is written, or it comes out as itself everywhere.

`make test` tries a few answers a question, `make prove-input` fifty. Both are random: Hypothesis prints what it found,
and how to try that again.
"""

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner
from cookiecutter.main import cookiecutter
from copier import run_copy
from helpers import ANSWERS_FILE, CATALOGUE, PATTERNS, PROOF, answers, comparable, everything, git, write_files
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st
from serverless_templates import cli, new
from serverless_templates.answers import chosen, refusal
from serverless_templates.catalogue import EVALUATED, Question
from serverless_templates.errors import UsageError
from serverless_templates.update import find_project
from test_answers import PARSERS, STAND_INS, replaced
from ways import WAYS, Request, complete

QUESTIONS = {question.name: question for pattern in PATTERNS for question in CATALOGUE.questions_of(pattern)}
# An example creates or refuses a project in every engine: about a second.
few = settings(
    max_examples=50 if PROOF else 5,
    deadline=None,
    database=None,
    print_blob=True,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],  # to find something simpler would take minutes
    suppress_health_check=list(HealthCheck),
)
# A process for each engine, or several projects: several seconds.
fewer = settings(few, max_examples=20 if PROOF else 2)

# What means something to YAML, TOML, JSON, Jinja, Python, a shell, a file system, a terminal or AWS.
MEAN = [
    *("{{", "}}", "{%", "%}", "{#", "#}", "{{ 6*7 }}", "{% raw %}", "{% endraw %}", "{{ cookiecutter }}", "${{ x }}"),
    *(
        '"',
        "'",
        '"""',
        "'''",
        "\\",
        "\\n",
        "\\u0041",
        "\\N{DASH}",
        "%s",
        "{0}",
        "f'{x}'",
        "`",
        "$",
        "$(reboot)",
        "${HOME}",
    ),
    *(
        "${AWS::AccountId}",
        "{{resolve:x}}",
        "!Ref x",
        "!!python/object:x",
        "&a",
        "*a",
        "<<: *a",
        "---",
        "...",
        "- ",
        ": ",
    ),
    *(
        "# ",
        "| ",
        "> ",
        "? ",
        "@",
        "%",
        "[",
        "]",
        "{",
        "}",
        ",",
        "=",
        "null",
        "yes",
        "1e3",
        "0x10",
        "2024-01-01",
        "1_0",
    ),
    *("\n", "\r", "\r\n", "\t", " ", "\0", "\x1b[31m", "\x7f", "\x85", "\xa0", "\u2028", "\u202e", "\u200b", "\ufeff"),
    *(
        "\ufffe",
        "\ud800",
        "\udcff",
        "é",
        "e\u0301",
        "😀",
        "日本語",
        "א",
        "İ",
        "ß",
        "<b>",
        "&amp;",
        "--",
        "-rf",
        ";",
        "|",
        "&&",
    ),
    *(
        "/",
        "..",
        "../evil",
        "/tmp/evil",
        "C:\\",
        "\\\\host\\share",
        "~",
        "con",
        "NUL",
        "aux.txt",
        "com1",
        ".git",
        "x" * 70,
    ),
    *("x" * 5_000, "class", "None", "a", "B", "9", "-", "_", ".", "<<fragment x>>", "org/", "@org"),
]
mean_text = st.lists(st.one_of(st.sampled_from(MEAN), st.text(max_size=5)), max_size=5).map("".join)


def fitting(question: Question) -> st.SearchStrategy[str]:
    """Answers that follow the question's rule, of any kind."""
    if question.name == "project_slug":  # Hypothesis finds nothing that its lookaheads let through
        words = st.from_regex("[a-z][a-z0-9]*(-[a-z0-9]+)*", fullmatch=True)
        return words.filter(lambda text: not refusal(question, text))
    return st.from_regex(question.rule.matches, fullmatch=True)


def answers_to(question: Question) -> st.SearchStrategy[str]:
    """Mean text, text that follows the question's rule, and such text with something mean in it."""
    spoilt = st.tuples(fitting(question), st.sampled_from(MEAN), fitting(question)).map("".join)
    return st.one_of(mean_text, fitting(question), spoilt)


def taken_by(question: Question) -> st.SearchStrategy[str]:
    """Answers that the question takes, and as mean as its rule lets them be."""
    if refusal(question, "it's free text"):
        return fitting(question)
    pieces = [piece for piece in MEAN if not refusal(question, f"x{piece}x")]
    longer = st.lists(st.sampled_from(pieces), min_size=1, max_size=15).map(lambda some: "".join(some).strip())
    return longer.filter(lambda text: not refusal(question, text))


each_question = pytest.mark.parametrize("question", QUESTIONS.values(), ids=QUESTIONS)


def given_answer(name: str, text: str) -> dict[str, str]:
    """What is answered: `text`, and a short name of its own, so that the name may be without letters."""
    return {"project_slug": "orders", name: text}


def refused(pattern: str, given_answers: dict[str, str]) -> str | None:
    """The words in which some answer is refused: the one given, or a default that follows from it."""
    completed = complete(pattern, given_answers)
    reasons = (refusal(question, completed[question.name]) for question in CATALOGUE.questions_of(pattern))
    return next(filter(None, reasons), None)


def patterns_with(question: Question) -> st.SearchStrategy[str]:
    return st.sampled_from([pattern for pattern in PATTERNS if question in CATALOGUE.questions_of(pattern)])


def count(counts: dict[str, int], refusal: object) -> None:
    """One more that was tried, and what became of it; in this order, for that of the columns."""
    for name, more in {"tried": True, "refused": refusal is not None, "taken": refusal is None}.items():
        counts[name] = counts.get(name, 0) + more


# The engines, in this process


def in_cookiecutter(templates: Path, pattern: str, given_answers: dict[str, str], output: Path) -> None:
    cookiecutter(str(templates / "built" / pattern), no_input=True, extra_context=given_answers, output_dir=str(output))


def in_copier(templates: Path, pattern: str, given_answers: dict[str, str], output: Path) -> None:
    data = {"pattern": pattern} | given_answers
    run_copy(str(templates), output / "project", data, defaults=True, quiet=True)


def in_the_command(templates: Path, pattern: str, given_answers: dict[str, str], output: Path) -> None:
    del templates  # the fixture `command_reads` has told it
    data = [f"--data={name}={answer}" for name, answer in given_answers.items()]
    arguments = ["new", pattern, str(output / "project"), "--defaults", *data]
    CliRunner().invoke(cli.main, arguments, standalone_mode=False, catch_exceptions=False)


ENGINES = {"cookiecutter": in_cookiecutter, "copier": in_copier, "serverless-templates": in_the_command}


@pytest.fixture
def command_reads(templates: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The command reads the same templates as the engines, and not those of the checkout."""
    found = new.Templates(templates, CATALOGUE, "v0.1.0", str(templates))
    monkeypatch.setattr(new, "find", lambda: found)
    return templates


@contextmanager
def guarded() -> Iterator[Path]:
    """A folder to create projects in; nothing may appear or change outside of it."""
    with tempfile.TemporaryDirectory() as folder:
        around = Path(folder).resolve()
        write_files(around, {"evil/mine.txt": "mine", "work/mine.txt": "mine"})
        output = around / "work/output"
        output.mkdir()
        before = everything(around)
        yield output
        # Some ways first make a zip or a clone of the templates, beside the output.
        expected = ("work/output/", "work/templates.zip", "work/bare.git")
        assert {path for path in everything(around) if not path.startswith(expected)} == before


def raised_by(function: Callable[..., object], *arguments: object) -> Exception | None:
    """What `function` raises: each engine has errors of its own."""
    try:
        function(*arguments)
    except Exception as error:
        return error
    return None


def project_in(output: Path) -> Path | None:
    """The project that was made in `output`; None when nothing was written there at all."""
    made = list(output.iterdir())
    assert len(made) <= 1
    return made[0] if made else None


def made_with(pattern: str, given_answers: dict[str, str], output: Path) -> dict[str, tuple[bytes, bool]]:
    """The files of the project in `output`, which can be read by what will read them and remember the answers."""
    project = project_in(output)
    assert project
    assert answers(project).items() >= {"pattern": pattern, **complete(pattern, given_answers)}.items()
    assert_every_file_parses(project)
    return comparable(project)


def assert_every_file_parses(project: Path) -> None:
    for path in project.rglob("*"):
        if path.suffix in PARSERS:
            PARSERS[path.suffix](path.read_text("utf-8"))


@each_question
@few
@given(data=st.data())
def test_every_engine_refuses_it_or_makes_the_same_project_with_it(
    question: Question, command_reads: Path, data: st.DataObject, counts: dict[str, int]
) -> None:
    pattern = data.draw(patterns_with(question), label="pattern")
    text = data.draw(answers_to(question), label=question.name)
    assume(chosen(question, text) == text)  # the command takes a choice in any case, see test_cli.py
    given_answers = given_answer(question.name, text)
    words = refused(pattern, given_answers)
    count(counts, words)
    made: dict[str, dict[str, tuple[bytes, bool]]] = {}

    for engine, create in ENGINES.items():
        with guarded() as output:
            error = raised_by(create, command_reads, pattern, given_answers, output)
            assert (error is None) == (words is None), f"{engine}: {error!r}"
            if error is None:
                made[engine] = made_with(pattern, given_answers, output)
            else:
                assert project_in(output) is None
                # Of a choice, the command also says which one may have been meant.
                said = str(error).partition(". Did you mean ")[0] if question.choices else str(error)
                assert engine != "serverless-templates" or said == words

    assert all(files == made["copier"] for files in made.values())


@fewer
@given(data=st.data())
def test_accepted_answers_are_unchanged_in_every_file_of_every_engine(
    command_reads: Path, data: st.DataObject, counts: dict[str, int]
) -> None:
    pattern = data.draw(st.sampled_from(PATTERNS), label="pattern")
    questions = CATALOGUE.questions_of(pattern)
    given_answers = {question.name: data.draw(taken_by(question), label=question.name) for question in questions}
    count(counts, None)
    with guarded() as output:
        in_the_command(command_reads, pattern, given_answers | STAND_INS, output)
        expected = made_with(pattern, given_answers | STAND_INS, output)

    for create in ENGINES.values():
        with guarded() as output:
            create(command_reads, pattern, given_answers, output)
            actual = made_with(pattern, given_answers, output)
        assert actual.keys() == expected.keys()
        for path, (content, _) in actual.items():
            read = PARSERS.get(Path(path).suffix, str)
            assert read(content.decode()) == replaced(read(expected[path][0].decode()), given_answers), path


OTHER_WAYS = [way for way in WAYS if way not in {"cookiecutter --directory", "copier copy", "serverless-templates new"}]
TYPED = {"cookiecutter menu"}


def can_be_given(way: str, question: Question, text: str) -> bool:
    """Whether `text` can reach the tool at all, and reaches it as it is."""
    if way in TYPED:  # line by line, and choices by number
        is_one_line = text.strip() == text != "" and not set("\n\r\0\x1a") & set(text)
        return is_one_line and text.isprintable() and not question.choices
    if way == "cruft create" and any(braces in text for braces in EVALUATED):
        return False  # see test_cruft_evaluates_an_expression_before_a_template_can_refuse_it
    try:
        return b"\0" not in os.fsencode(text)  # no argument of a process holds one
    except UnicodeEncodeError:
        return False


@pytest.mark.parametrize("way", OTHER_WAYS)
@fewer
@given(data=st.data())
def test_every_other_engine_does_the_same(
    way: str, command_reads: Path, data: st.DataObject, request: pytest.FixtureRequest, counts: dict[str, int]
) -> None:
    sam = request.getfixturevalue("sam") if way == "sam init" else ""
    question = data.draw(st.sampled_from(list(QUESTIONS.values())), label="question")
    pattern = data.draw(patterns_with(question), label="pattern")
    text = data.draw(answers_to(question).filter(lambda text: can_be_given(way, question, text)), label="answer")
    given_answers = given_answer(question.name, text)
    words = refused(pattern, given_answers)
    count(counts, words)

    with guarded() as output:
        done = WAYS[way](Request(command_reads, pattern, given_answers, output, sam))

        assert (done.returncode != 0) == (words is not None), done.stdout + done.stderr
        if words:
            assert project_in(output) is None
            return
        made = made_with(pattern, given_answers, output)
    with guarded() as output:
        in_the_command(command_reads, pattern, given_answers, output)
        assert made == made_with(pattern, given_answers, output)


# What people write into the answers file by hand

values = st.one_of(mean_text, st.none(), st.booleans(), st.integers(), st.floats(), st.dates(), st.lists(mean_text))
keys = st.sampled_from(["_commit", "_src_path", "pattern", *QUESTIONS])
SOUND = {"_commit": "v0.1.0", "_src_path": "templates", "pattern": PATTERNS[0], "project_slug": "orders"}
answers_files = st.one_of(
    st.binary(max_size=200),
    mean_text.map(lambda text: text.encode(errors="surrogatepass")),
    st.dictionaries(keys, values).map(lambda data: yaml.safe_dump(data).encode()),
    st.dictionaries(keys, values, max_size=2).map(lambda changes: yaml.safe_dump(SOUND | changes).encode()),
)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    git(tmp_path, "init", "--quiet")
    return tmp_path


@settings(few, max_examples=5_000 if PROOF else 100)
@given(content=answers_files)
def test_invalid_answers_file_is_reported(content: bytes, repository: Path, counts: dict[str, int]) -> None:
    (repository / ANSWERS_FILE).write_bytes(content)
    error = raised_by(find_project, repository)
    count(counts, error)

    assert error is None or (isinstance(error, UsageError) and str(repository) in error.message)
    assert (repository / ANSWERS_FILE).read_bytes() == content


def test_valid_answers_file_is_read(repository: Path) -> None:
    (repository / ANSWERS_FILE).write_text(yaml.safe_dump(SOUND), "utf-8")

    assert find_project(repository).folder == repository.resolve()
