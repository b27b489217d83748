"""`python -m toolkit COMMAND …` runs a command; without one, lists them."""

import ast
import importlib
import sys
from pathlib import Path

COMMANDS = Path(__file__).with_name("commands")


def main() -> None:
    """Hand the arguments to the command's own `main`."""
    names = sorted(path.stem.replace("_", "-") for path in COMMANDS.glob("[!_]*.py"))
    if len(sys.argv) < 2 or sys.argv[1] not in names:
        sys.exit("usage: python -m toolkit COMMAND …\n\n" + "\n".join(map(described, names)))
    name = sys.argv.pop(1)
    sys.argv[0] = f"python -m toolkit {name}"
    # Only what the command needs is imported: some run where little is installed.
    command = importlib.import_module(f"toolkit.commands.{name.replace('-', '_')}")
    sys.exit(command.main())


def described(name: str) -> str:
    """A line of help: the command, and the first line of its module."""
    path = COMMANDS / f"{name.replace('-', '_')}.py"
    text = ast.get_docstring(ast.parse(path.read_text("utf-8"))) or ""
    return f"  {name:<24} {text.partition(chr(10))[0]}"


if __name__ == "__main__":
    main()
