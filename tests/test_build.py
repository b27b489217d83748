"""What `make build` makes of the sources, and what it says when they break a rule."""

import json
import stat
from collections.abc import Mapping
from pathlib import Path

import pytest
import yaml
from helpers import MINIMAL_SOURCES, ROOT, commit, everything, run, tree, write_files
from serverless_templates.build import build, drift, write
from serverless_templates.errors import BuildError

TOP = "built/first/{{cookiecutter.__folder}}"


def built_text(root: Path, path: str) -> str:
    """The template of a file in the project of the pattern `first`."""
    return build(root)[f"{TOP}/{path}"].content.decode()


def refused(root: Path) -> str:
    """What the build says of sources that it refuses."""
    with pytest.raises(BuildError) as error:
        build(root)
    return str(error.value)


# Overlay


def test_a_project_is_the_common_files_the_parts_and_the_patterns_own(sources: Path) -> None:
    names = {path.removeprefix(f"{TOP}/") for path in build(sources) if path.startswith(TOP)}

    assert names == {"README.md", "pyproject.toml", "tables.txt", "first.txt", "{{cookiecutter.__answers_file}}"}


@pytest.mark.parametrize("taken", ["README.md", "tables.txt", "readme.MD"])
def test_two_layers_with_the_same_path_are_an_error_naming_both(sources: Path, taken: str) -> None:
    write_files(sources, {f"templates/patterns/first/files/{taken}": ""})

    message = refused(sources)

    assert f"templates/patterns/first/files/{taken}" in message
    assert "templates/common/files/README.md" in message or "templates/parts/tables/files/tables.txt" in message


def test_caches_of_tools_are_not_sources(sources: Path) -> None:
    litter = ("__pycache__/x.pyc", "x.pyc", ".DS_Store", ".ruff_cache/0/x", ".mypy_cache/x")
    before = build(sources).keys()

    write_files(sources, {f"templates/common/files/{path}": b"\xff" for path in litter})

    assert build(sources).keys() == before


def test_executable_bit_is_kept_and_lines_end_in_lf(sources: Path) -> None:
    write_files(sources, {"templates/common/files/run.sh": "#!/bin/sh\r\necho\r\n"})
    (sources / "templates/common/files/run.sh").chmod(0o755)

    file = build(sources)[f"{TOP}/run.sh"]

    assert file.executable
    assert file.content == b"#!/bin/sh\necho\n"


# Fragments


@pytest.mark.parametrize(
    ("marker", "filled"),
    [
        ("# <<fragment more>>", "one\n\ntwo\n"),
        ("  # <<fragment more>>", "  one\n\n  two\n"),
        ("\t// <<fragment more>>", "\tone\n\n\ttwo\n"),
        ("<!-- <<fragment more>> -->", "one\n\ntwo\n"),
        ("## <<fragment more>>  ", "one\n\ntwo\n"),
        ("    # <<fragment nothing>>", ""),
        ("<!-- <<fragment nothing>> -->", ""),
        ("text # <<fragment nothing>>", "text # <<fragment nothing>>\n"),
    ],
)
def test_a_markers_line_becomes_the_fragment_indented_as_the_marker_is(sources: Path, marker: str, filled: str) -> None:
    write_files(
        sources,
        {
            "templates/common/files/file": f"before\n{marker}\nafter\n",
            "templates/common/files/uses_it": "# <<fragment more>>\n",
            "templates/patterns/first/fragments/more": "one\n\ntwo\n",
        },
    )

    assert built_text(sources, "file") == f"before\n{filled}after\n"


def test_the_parts_fragments_come_before_the_patterns_own(sources: Path) -> None:
    write_files(
        sources,
        {
            "templates/common/files/file": "# <<fragment more>>",
            "templates/parts/tables/fragments/more": "of the part",
            "templates/patterns/first/fragments/more": "of the pattern",
        },
    )

    assert built_text(sources, "file") == "of the part\nof the pattern\n"


# Escaping; what the engines make of it is in test_escape.py


def test_answers_and_statements_are_kept_and_other_braces_are_not(sources: Path) -> None:
    text = "{{ cookiecutter.size }} ${{ github.ref }}\n  # {% if 1 %}\nx\n# {% endif %}\n"
    write_files(sources, {"templates/common/files/file": text})

    assert built_text(sources, "file") == '{{ cookiecutter.size }} ${{ "{{" }} github.ref }}\n{% if 1 %}x\n{% endif %}'


# Questions


def test_each_engine_asks_the_same_questions_in_the_same_order(sources: Path) -> None:
    outputs = build(sources)

    asked = [name for name in json.loads(outputs["built/first/cookiecutter.json"].content) if not name.startswith("_")]
    copiers = [name for name in yaml.safe_load(outputs["copier.yml"].content) if not name.startswith("_")]
    assert asked == ["project_name", "project_slug", "size"]
    assert copiers == ["pattern", *asked, "cookiecutter"]


def test_a_patterns_own_question_is_asked_for_that_pattern_only(sources: Path) -> None:
    write_files(sources, {"templates/patterns/second/pattern.yaml": extra()[PATTERN]})

    outputs = build(sources)

    assert "extra" not in json.loads(outputs["built/first/cookiecutter.json"].content)
    assert "extra" in json.loads(outputs["built/second/cookiecutter.json"].content)
    assert yaml.safe_load(outputs["copier.yml"].content)["extra"]["when"] == "{{ pattern in ['second'] }}"
    assert "## Only `second`" in outputs["docs/questions.md"].content.decode()


def test_copier_needs_no_trust(sources: Path) -> None:
    settings = yaml.safe_load(build(sources)["copier.yml"].content)

    assert not {"_tasks", "_migrations", "_jinja_extensions"} & settings.keys()


# Errors: what is added to the sources, and what the message must name

CATALOGUE = "templates/catalogue.yaml"
PATTERN = "templates/patterns/first/pattern.yaml"


def extra(**fields: object) -> Mapping[str, str]:
    """A pattern file that asks one question more, with some of its fields changed."""
    rule = {"matches": "[a-z]+", "reason": "lowercase letters", "example": "x"}
    question = {"name": "extra", "help": "Extra", "type": "text", "default": "x", "rule": rule} | fields
    used = {key: value for key, value in question.items() if value is not None}
    return {PATTERN: f"title: First\nsummary: The first.\nquestions:\n- {json.dumps(used)}\n"}


BROKEN: dict[str, tuple[Mapping[str, str | bytes], str]] = {
    "unknown key in the catalogue": (
        {CATALOGUE: "source: x\nquestions: [x]\nquestoins: []\n"},
        "catalogue.yaml: `questoins`",
    ),
    "unknown key in a pattern": (
        {PATTERN: "title: First\nsummary: The first.\nsumary: x\n"},
        "first/pattern.yaml: `sumary`",
    ),
    "unknown key in a question": (extra(rules={}), "pattern.yaml: questions: `rules`"),
    "pattern without a title": ({PATTERN: "summary: The first.\n"}, "first/pattern.yaml: `title` is missing"),
    "pattern without a pattern.yaml": ({"templates/patterns/second/files/x": ""}, "second/pattern.yaml: No such file"),
    "pattern with a name no path can have": ({"templates/patterns/Second!/x": ""}, "Second!: a pattern's folder"),
    "not YAML": ({PATTERN: "title: [\n"}, "first/pattern.yaml: not YAML"),
    "unknown state": ({PATTERN: "title: First\nsummary: The first.\nstate: done\n"}, "state is 'done'"),
    "unknown part": ({PATTERN: "title: First\nsummary: The first.\nparts: [chairs]\n"}, "there is no part chairs"),
    "unknown type of question": (extra(type="number"), "extra: type is 'number'"),
    "question asked twice": (extra(name="size"), "the question size is asked twice"),
    "question with a name of Python's": (extra(name="class"), "'class' cannot be a name"),
    "question with a name of an engine's": (extra(name="pattern"), "'pattern' cannot be a name"),
    "question with a name of a dictionary's": (extra(name="items"), "'items' cannot be a name"),
    "number where text is expected": (extra(default=3), "extra: default: text is expected here, not 3"),
    "rule that is no regular expression": (
        extra(rule={"matches": "(", "reason": "x", "example": "x"}),
        "extra: rule: `matches` is not a regular expression",
    ),
    "rule that refuses its example": (
        extra(rule={"matches": "[a-z]", "reason": "x", "example": "1"}),
        "extra: rule: the example '1' does not match",
    ),
    "rule that lets braces through": (
        extra(rule={"matches": ".+", "reason": "x", "example": "x"}),
        "extra: rule: it lets {{ through",
    ),
    "default that its rule refuses": (extra(default="X"), "first: the default of extra breaks the question's own rule"),
    "default that is no choice": (
        extra(type="choice", choices=["a"], default="b", rule=None),
        "the default 'b' is not among the choices",
    ),
    "default with one engine's filter": (extra(default="{{ 'x'|slugify }}"), "the default of extra cannot be rendered"),
    "default that asks for a later answer": (
        extra(default="{{ cookiecutter.extra }}"),
        "`cookiecutter.extra` is no answer",
    ),
    "misspelled answer in a file": (
        {"templates/common/files/x.md": "one\n{{ cookiecutter.projet_name }}\n"},
        "common/files/x.md:2: `cookiecutter.projet_name` is no answer",
    ),
    "misspelled answer in a statement": (
        {"templates/common/files/x.md": '# {% if cookiecutter.siez == "small" %}\n# {% endif %}\n'},
        "common/files/x.md:1: `cookiecutter.siez` is no answer",
    ),
    "misspelled answer in a name": (
        {"templates/common/files/{{cookiecutter.nmae}}.md": ""},
        "`cookiecutter.nmae` is no answer",
    ),
    "misspelled answer in a fragment": (
        {
            "templates/common/files/x": "# <<fragment more>>\n",
            "templates/patterns/first/fragments/more": "{{ cookiecutter.nmae }}",
        },
        "first/fragments/more:1: `cookiecutter.nmae` is no answer",
    ),
    "statement that is not closed": (
        {"templates/common/files/x.md": '# {% if cookiecutter.size == "small" %}\n'},
        "common/files/x.md: the engines cannot read it",
    ),
    "one engine's filter in a file": (
        {"templates/common/files/x.md": "{{ cookiecutter.size|slugify }}"},
        "common/files/x.md: the engines cannot read it: No filter named 'slugify'",
    ),
    "fragment that nothing asks for": (
        {"templates/patterns/first/fragments/more": "x"},
        "first/fragments/more: nothing asks for it",
    ),
    "fragment that asks for another": (
        {
            "templates/common/files/x": "# <<fragment a>>\n",
            "templates/patterns/first/fragments/a": "# <<fragment a>>\n",
        },
        "first/fragments/a: a fragment cannot ask for another one",
    ),
    "fragment that is not text": (
        {"templates/common/files/x": "# <<fragment a>>\n", "templates/patterns/first/fragments/a": b"\xff"},
        "first/fragments/a: a fragment is text",
    ),
    "text with a zero byte": ({"templates/common/files/x.md": "a\0b"}, "common/files/x.md: text with a zero byte"),
    "name with a pipe": ({"templates/common/files/a|b": ""}, "Windows refuses the name 'a|b'"),
    "name with a quote": ({'templates/common/files/a"b': ""}, "Windows refuses the name 'a\"b'"),
    "name with a colon": ({"templates/common/files/a:b": ""}, "Windows refuses the name 'a:b'"),
    "name of a device": ({"templates/common/files/aux.py": ""}, "Windows refuses the name 'aux.py'"),
    "name that ends in a dot": ({"templates/common/files/a.": ""}, "Windows refuses the name 'a.'"),
    "name that ends in a space": ({"templates/common/files/a /b": ""}, "Windows refuses the name 'a '"),
    "name with other braces": (
        {"templates/common/files/{{other}}": ""},
        "only {{cookiecutter.…}} may stand between braces",
    ),
    "path that is too long": (
        {"templates/common/files/" + "/".join(["directory"] * 13): ""},
        "its path can become 160 characters long, and 150 is the most",
    ),
}


@pytest.mark.parametrize(("added", "message"), BROKEN.values(), ids=BROKEN)
def test_error_in_the_sources_names_its_file(sources: Path, added: Mapping[str, str | bytes], message: str) -> None:
    write_files(sources, added)

    assert message in refused(sources)


def test_a_symbolic_link_is_refused(sources: Path) -> None:
    (sources / "templates/common/files/link").symlink_to("README.md")

    assert "common/files/link: a symbolic link" in refused(sources)


@pytest.mark.parametrize("mark", ["<<<<<<< HEAD", ">>>>>>> upstream/main", "||||||| base", "<<<<<<<"])
@pytest.mark.parametrize(
    "path",
    [
        "templates/common/files/samconfig.toml",
        "templates/patterns/first/fragments/README.what.md",
        "templates/catalogue.yaml",
        "hooks/post_gen_project.py",
        "docs/company.md",
        "CHANGELOG.md",
    ],
)
def test_conflict_mark_is_refused_with_file_and_line(sources: Path, path: str, mark: str) -> None:
    write_files(sources, {path: f"a = 1\n{mark}\nb = 1\n"})

    assert f"{path}:2: a merge conflict is left" in refused(sources)


def test_heading_is_not_a_conflict_mark(sources: Path) -> None:
    write_files(
        sources, {"templates/common/files/page.md": "Heading\n=======\n\n`<<<<<<< before updating` is a mark.\n"}
    )

    build(sources)


def test_two_patterns_may_share_a_question_only_when_it_is_the_same(sources: Path) -> None:
    second = "templates/patterns/second/pattern.yaml"
    write_files(sources, extra())
    write_files(sources, {second: extra()[PATTERN]})
    shared = yaml.safe_load(build(sources)["copier.yml"].content)["extra"]
    write_files(sources, {second: extra(help="Other")[PATTERN]})

    assert shared["when"] == "{{ pattern in ['first', 'second'] }}"
    assert "first and second both ask extra" in refused(sources)


# Writing


def test_building_again_writes_nothing(sources: Path) -> None:
    first = write(sources, build(sources))
    times = {path: path.stat().st_mtime_ns for path in sources.rglob("*")}

    assert first
    assert write(sources, build(sources)) == []
    assert {path: path.stat().st_mtime_ns for path in sources.rglob("*")} == times


def test_files_that_are_no_longer_built_are_removed(sources: Path) -> None:
    write_files(sources, {"templates/common/files/deep/er/file": ""})
    write(sources, build(sources))
    (sources / "templates/common/files/deep/er/file").unlink()

    assert write(sources, build(sources)) == [f"{TOP}/deep/er/file"]
    assert not (sources / TOP / "deep").exists()


def test_missing_executable_bit_is_drift(sources: Path) -> None:
    write_files(sources, {"templates/common/files/run.sh": "#!/bin/sh\n"})
    (sources / "templates/common/files/run.sh").chmod(0o755)
    write(sources, build(sources))
    built = sources / TOP / "run.sh"

    assert stat.S_IMODE(built.stat().st_mode) == 0o755
    built.chmod(0o644)
    assert drift(sources, build(sources)) == [f"{TOP}/run.sh"]


def test_check_lists_drifted_files_and_the_command_that_fixes_them(sources: Path) -> None:
    command = ("python", "-m", "serverless_templates.build", "--root", sources)
    assert run(*command).returncode == 0
    assert run(*command, "--check").returncode == 0
    (sources / "copier.yml").write_text("edited", "utf-8")
    (sources / TOP / "README.md").unlink()
    write_files(sources, {f"{TOP}/left.over": ""})
    before = tree(sources)

    done = run(*command, "--check")

    assert done.returncode == 1
    for path in ("copier.yml", f"{TOP}/README.md", f"{TOP}/left.over"):
        assert f"not up to date: {path}\n" in done.stderr
    assert "make build" in done.stderr
    assert tree(sources) == before


def test_a_fault_is_reported_without_a_traceback(sources: Path) -> None:
    write_files(sources, {"templates/common/files/x.md": "{{ cookiecutter.nmae }}"})

    done = run("python", "-m", "serverless_templates.build", "--root", sources)

    assert done.returncode == 1
    assert done.stderr.startswith("error: templates/common/files/x.md:1: `cookiecutter.nmae`")


def test_what_is_committed_here_is_what_the_sources_produce() -> None:
    assert drift(ROOT, build(ROOT)) == []


# A new pattern


def test_a_new_pattern_is_a_new_folder_and_nothing_else(changing_templates: Path) -> None:
    root = changing_templates
    before = tree(root)
    sources_before = everything(root / "templates")
    write_files(
        root,
        {
            "templates/patterns/brand-new/pattern.yaml": "title: Brand new\nsummary: Made in a test.\n",
            "templates/patterns/brand-new/files/brand-new.txt": "{{ cookiecutter.project_name }}\n",
        },
    )

    write(root, build(root))
    commit(root, tag="v0.2.0")

    changed = {path for path, file in tree(root).items() if before.get(path) != file and "brand-new" not in path}
    assert changed == {"cookiecutter.json", "copier.yml", "docs/patterns/README.md"}
    assert everything(root / "templates") - sources_before == {
        "patterns/brand-new",
        "patterns/brand-new/pattern.yaml",
        "patterns/brand-new/files",
        "patterns/brand-new/files/brand-new.txt",
    }
    assert "brand-new" in json.loads((root / "cookiecutter.json").read_text("utf-8"))["templates"]
    assert "brand-new" in yaml.safe_load((root / "copier.yml").read_text("utf-8"))["pattern"]["choices"].values()
    assert "brand-new" in run("python", "-m", "generator", "list", cwd=root).stdout
    created = run("python", "-m", "generator", "new", "brand-new", root / "../project", "--defaults", cwd=root)
    assert created.returncode == 0, created.stderr
    assert (root / "../project/brand-new.txt").read_text("utf-8") == "My Service\n"


# Threats

THREAT = """\
threats:
  - {threat: Somebody might, stopped_by: a lock, shown_by: "tests/test_lock.py::test_the_lock_holds"}
"""


def test_the_page_about_a_pattern_says_what_stops_each_threat_and_which_test_shows_it(sources: Path) -> None:
    write_files(
        sources,
        {
            "templates/patterns/first/pattern.yaml": f"title: First\nsummary: First.\nparts: [tables]\n{THREAT}",
            "templates/common/files/tests/test_lock.py": "def test_the_lock_holds() -> None: ...\n",
        },
    )

    page = build(sources)["docs/patterns/first.md"].content.decode()

    assert "| Somebody might | a lock | the lock holds: `tests/test_lock.py` |" in page


def test_a_threat_that_no_test_of_the_project_shows_to_be_stopped_is_an_error(sources: Path) -> None:
    write_files(sources, {"templates/catalogue.yaml": MINIMAL_SOURCES["templates/catalogue.yaml"] + THREAT})

    message = refused(sources)

    assert "tests/test_lock.py::test_the_lock_holds" in message
    assert "Somebody might" in message
