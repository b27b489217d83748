"""Every text is read and written as UTF-8, whatever the system's own encoding is, as a code page of Windows."""

import ast
from collections.abc import Iterator

import pytest
from helpers import ROOT, git

SOURCES = [path for path in git(ROOT, "ls-files", "*.py").splitlines() if not path.startswith("built/")]
RUNNING = {"run", "check_output", "check_call", "Popen"}


def without_encoding(text: str) -> Iterator[int]:
    """Lines that read or write text, or what a program prints, in the encoding of the system."""
    for node in ast.walk(ast.parse(text)):
        if not isinstance(node, ast.Call):
            continue
        called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        options = {option.arg: option.value for option in node.keywords}
        if "encoding" in options or ast.unparse(node.func) == "os.open":
            continue
        arguments = node.args[1:] if isinstance(node.func, ast.Name) else node.args
        mode = options.get("mode", arguments[0] if arguments else ast.Constant("r"))
        if (
            (called == "read_text" and not node.args)
            or (called == "write_text" and len(node.args) == 1)
            or (called == "open" and isinstance(mode, ast.Constant) and set(str(mode.value)) <= set("rwaxt+"))
            or (called in RUNNING and {"text", "universal_newlines"} & options.keys())
        ):
            yield node.lineno


@pytest.mark.parametrize("path", SOURCES)
def test_every_text_has_its_encoding(path: str) -> None:
    assert not list(without_encoding((ROOT / path).read_text("utf-8")))


@pytest.mark.parametrize(
    "line",
    [
        "Path('x').read_text()",
        "folder.write_text(text)",
        "open('x')",
        "open('x', 'w')",
        "path.open()",
        "path.open(mode='a')",
        "subprocess.run(command, text=True)",
    ],
)
def test_missing_encoding_is_found(line: str) -> None:
    assert list(without_encoding(line)) == [1]


@pytest.mark.parametrize(
    "line",
    ["path.read_text('utf-8')", "path.write_text(text, encoding='utf-8')", "path.open('rb')", "run(command)"],
)
def test_given_encoding_is_not_reported(line: str) -> None:
    assert not list(without_encoding(line))


def test_the_commands_of_a_project_have_python_in_utf_8_mode() -> None:
    """Tools that a project did not write read and print text as well."""
    assert "\nexport PYTHONUTF8 = 1\n" in (ROOT / "templates/common/files/toolkit/Makefile").read_text("utf-8")
