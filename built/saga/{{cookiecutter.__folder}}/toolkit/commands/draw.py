"""Draws the workflow as a Mermaid flowchart, into README.md: `make diagram`."""

import re
from pathlib import Path
from typing import Any

import yaml

from toolkit.stacks import PROJECT
from toolkit.template import resources

DEFINITION = PROJECT / "statemachine" / "workflow.asl.yaml"
# In README.md, the picture is the first block of Mermaid.
PICTURE = re.compile(r"(?<=```mermaid\n).*?(?=```\n)", re.DOTALL)


def main() -> None:
    """Replace the picture in README.md."""
    readme = PROJECT / "README.md"
    readme.write_text(redrawn(readme), "utf-8")


def redrawn(readme: Path) -> str:
    """The text of a README with the picture as it has to be."""
    picture = draw(definition())
    return PICTURE.sub(lambda _: picture, readme.read_text("utf-8"), count=1)


def definition() -> dict[str, Any]:
    """The workflow's definition, with the substitutions that template.yaml gives as text."""
    [machine] = resources("AWS::Serverless::StateMachine").values()
    text = DEFINITION.read_text("utf-8")
    for name, value in machine["Properties"]["DefinitionSubstitutions"].items():
        if isinstance(value, str):
            text = text.replace(f"${{ "{{" }}{name}}}", value)
    loaded: dict[str, Any] = yaml.safe_load(text)
    return loaded


def draw(workflow: dict[str, Any]) -> str:
    """A line for each state and each way from it; what was caught goes along a dotted one."""
    lines = ["flowchart TD", f"  start(( )) --> {workflow['StartAt']}"]
    for name, state in workflow["States"].items():
        lines.append(f"  {name}{_shape(name, state)}")
        ways = [(rule["Next"], "refused") for rule in state.get("Choices", [])]
        ways += [(state[way], "") for way in ("Next", "Default") if way in state]
        lines += [f"  {name} -->{f'|{why}|' if why else ''} {to}" for to, why in ways]
        if state.get("End"):
            lines.append(f"  {name} --> Fulfilled([Fulfilled])")
        caught: dict[str, list[str]] = {}
        for catch in state.get("Catch", []):
            caught.setdefault(catch["Next"], []).extend(catch["ErrorEquals"])
        lines += [
            f"  {name} -. {' or '.join(map(_label, errors))} .-> {to}"
            for to, errors in caught.items()
        ]
    return "\n".join(lines) + "\n"


def _shape(name: str, state: dict[str, Any]) -> str:
    match state["Type"]:
        case "Choice":
            return f"{{ "{{" }}{name}}}"
        case "Succeed" | "Fail":
            return f"([{name}])"
    return f"[({name})]" if state["Resource"].endswith(".waitForTaskToken") else f"[{name}]"


def _label(error: str) -> str:
    return {
        "States.ALL": "any failure",
        "States.Timeout": "after two weeks",
        "TryAgainError": "resumed",
    }.get(error, error)
