"""Native text comes out of both engines as it is, but for the answers and statements in it."""

import pytest
from helpers import commit, run, tree, write_files, write_sources
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import Environment
from serverless_templates.build import build, write
from serverless_templates.escape import escape

NAME = "Some Name"

# Text in the sources, and what both engines must make of it; the same where there is only one.
TEXTS: dict[str, str | tuple[str, str]] = {
    "github expression": "run: echo ${{ github.ref }} ${{github.sha}}\n",
    "github expression beside an answer": (
        "${{ github.ref }}-{{ cookiecutter.project_name }}-${{ x }}\n",
        f"${{{{ github.ref }}}}-{NAME}-${{{{ x }}}}\n",
    ),
    "cloudformation reference": 'Secret: "{{resolve:ssm:/x}}"\n',
    "cloudformation substitution": "!Sub ${AWS::StackName}\n",
    "jsonata": '{"Output": "{% $states.input %}", "If": "{%$x%}"}\n',
    "format string": 'f"{{{x}}} {{}} {x!r:>{width}}" "{{{{"\n',
    "opening comment": "a {# b {#- c\n",
    "closing braces": "}} %} #} }}}\n",
    "shell": "${#array[@]} ${x#{} #{ {}\n",
    "raw block": "{% raw %}{{ cookiecutter }}{% endraw %}\n",
    "other statements": '{% set x = 1 %}{% include "x" %}{% macro m() %}{%- block b -%}\n',
    "other templates": "{{ user.name }} {{{ user }}} {{ cookiecutterx.y }} {{cookiecutter}}\n",
    "answer": ("{{ cookiecutter.project_name }}{{cookiecutter.project_name}}\n", f"{NAME}{NAME}\n"),
    "answer with a filter": ('{{ cookiecutter.project_name|replace("}}", "{{") }}\n', f"{NAME}\n"),
    "answer within braces": ("{{{ cookiecutter.project_name }}}\n", f"{{{NAME}}}\n"),
    "computed value": ("{{ cookiecutter.__shout }} {{ cookiecutter.__pattern_title }}\n", "SOME NAME First\n"),
    "statement within a line": ('a{% if cookiecutter.size == "small" %}b{% endif %}c\n', "abc\n"),
    "else": (
        '# {% if cookiecutter.size == "large" %}\na\n# {% elif 0 %}\nb\n# {% else %}\nc\n# {% endif %}\nd\n',
        "c\nd\n",
    ),
    "loop": ('# {% for x in "ab" %}\nx\n# {% endfor %}\n', "x\nx\n"),
    "statement in an indented comment": (
        "x:\n    # {% if cookiecutter.size %}\n    y: 1\n    # {% endif %}\n",
        "x:\n    y: 1\n",
    ),
    "statement in a comment of Markdown": ("<!-- {% if 1 %} -->\n\n# A\n\n<!-- {% endif %} -->\n", "\n# A\n\n"),
    "statement in a comment of JavaScript": ("\t// {% if 1 %}\nx();\n\t// {% endif %}\n", "x();\n"),
    "statement in a comment of SQL": ("-- {% if 1 %}\nx;\n-- {% endif %}\n", "x;\n"),
    "statement in a comment of CSS": ("/* {% if 1 %} */\nx;\n/* {% endif %} */\n", "x;\n"),
    "two statements in one comment": ("# {% if 1 %}\na\n# {% endif %}{% if 0 %}\nb\n# {% endif %}\n", "a\n"),
    "statement in the last line": ("a\n# {% if 1 %}\nb\n# {% endif %}", "a\nb\n"),
    "statement and text in one comment": ("# {% if 1 %}a{% endif %}\n", "# a\n"),
    "no newline at the end": "a",
    "newlines at the end": "a\n\n\n",
    "nothing": "",
    "spaces": "  a  \n\t\n",
    "every kind of quote": "'\"`\\ \\\\ \\n \"\"\" '''\n",
    "other languages": "日本語 ünï 😀 \u2028 \x85\n",
}
BINARIES = {
    "pixel.png": bytes(range(256)) + b"{{ cookiecutter.project_name }}\r\n{% if %}",
    "[odd].bin": bytes(range(256)),
    # Cookiecutter by itself takes this for text, and then cannot read it.
    "latin-1.txt": "caf\u00e9 {{ cookiecutter.project_name }}\r\n".encode("latin-1"),
}


@pytest.fixture(scope="module")
def projects(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, tuple[bytes, bool]]]:
    """The files that each engine makes of the texts above."""
    root = tmp_path_factory.mktemp("texts")
    write_sources(root / "templates")
    files: dict[str, str | bytes] = {f"texts/{i}": _pair(text)[0] for i, text in enumerate(TEXTS.values())}
    files |= BINARIES
    files |= {"{{cookiecutter.project_slug}}/{{ cookiecutter.size }}.txt": "named\n", "run.sh": "#!/bin/sh\n"}
    write_files(root / "templates/templates/common/files", files)
    (root / "templates/templates/common/files/run.sh").chmod(0o755)
    write(root / "templates", build(root / "templates"))
    commit(root / "templates", tag="v1.0.0")
    made = {
        "cookiecutter": run(
            "cookiecutter", "--no-input", "--output-dir", root / "one", root / "templates", "--directory", "built/first"
        ),
        "copier": run(
            "copier", "copy", "--defaults", "--data=pattern=first", root / "templates", root / "two/some-name"
        ),
    }
    for done in made.values():
        assert done.returncode == 0, done.stderr
    return {
        "cookiecutter": tree(root / "one/some-name"),
        "copier": tree(root / "two/some-name"),
    }


def _pair(text: str | tuple[str, str]) -> tuple[str, str]:
    return text if isinstance(text, tuple) else (text, text)


@pytest.mark.parametrize("engine", ["cookiecutter", "copier"])
@pytest.mark.parametrize("name", TEXTS)
def test_text_comes_out_as_it_is(projects, engine: str, name: str) -> None:
    content, _ = projects[engine][f"texts/{list(TEXTS).index(name)}"]

    assert content.decode() == _pair(TEXTS[name])[1]


@pytest.mark.parametrize("engine", ["cookiecutter", "copier"])
@pytest.mark.parametrize("name", BINARIES)
def test_a_binary_file_comes_out_byte_for_byte(projects, engine: str, name: str) -> None:
    assert projects[engine][name] == (BINARIES[name], False)


@pytest.mark.parametrize("engine", ["cookiecutter", "copier"])
def test_names_may_hold_answers(projects, engine: str) -> None:
    assert projects[engine]["some-name/small.txt"] == (b"named\n", False)


@pytest.mark.parametrize("engine", ["cookiecutter", "copier"])
def test_a_program_can_be_run(projects, engine: str) -> None:
    assert projects[engine]["run.sh"] == (b"#!/bin/sh\n", True)


# Whatever is made of braces and a few other characters, as long as no answer or statement comes of it.
BRACES = st.text(alphabet="{}%#$- x\n\"'\\", max_size=40)


@given(BRACES)
def test_any_text_of_braces_comes_out_as_it_is(text: str) -> None:
    jinja = Environment(keep_trailing_newline=True, autoescape=False)

    assert jinja.from_string(escape(text)).render() == text
