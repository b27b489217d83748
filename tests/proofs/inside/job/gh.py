"""Plays GitHub's command line: keeps environments, their branches and variables, and records runs that are asked for.

    gh.py STATE api PATH …

It knows the calls that toolkit/deploy/README.md and toolkit/commands/protection.py make. Any other is an error.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

STATE = Path(sys.argv[1])
state: dict[str, Any] = json.loads(STATE.read_text("utf-8"))
repository: dict[str, Any] = state["repository"]
NAME = f"repos/(?:{re.escape(repository['full_name'])}|{{owner}}/{{repo}})"


def main(arguments: list[str]) -> None:
    """Carry out one call."""
    match arguments:
        case ["api", path, "--jq", query]:
            print(of_repository(path, query))
        case ["api", "--method", "PUT", path, "--silent", "--input", "-"]:
            name = matched(f"{NAME}/environments/([^/]+)", path)
            made = state["environments"].setdefault(name, {"protection_rules": [], "branches": [], "variables": {}})
            made |= json.load(sys.stdin)
        case ["api", "--method", "POST", path, "--silent", "--field", branch]:
            name = matched(f"{NAME}/environments/([^/]+)/deployment-branch-policies", path)
            environment(name)["branches"].append(branch.removeprefix("name="))
        case ["api", path]:
            print(json.dumps(looked_up(path)))
        case ["variable", "set", variable, "--repo", name, "--env", env, "--body", value]:
            matched(NAME, f"repos/{name}")
            if not value:
                refuse("no value given")
            environment(env)["variables"][variable] = value
        case ["workflow", "run", workflow, "--repo", name]:
            matched(NAME, f"repos/{name}")
            state["runs"].append(workflow)
        case _:
            refuse(f"unknown call: {arguments}")
    STATE.write_text(json.dumps(state), "utf-8")


def of_repository(path: str, query: str) -> str:
    """The queries that the README asks of the repository."""
    matched(NAME, path)
    known = {
        r'"\(.owner.login)@\(.owner.id)/\(.name)@\(.id)"': "{owner[login]}@{owner[id]}/{name}@{id}",
        ".full_name": "{full_name}",
    }
    return known[query].format(**repository)


def looked_up(path: str) -> Any:
    """What GitHub answers to a GET."""
    if re.fullmatch(NAME, path):
        return repository
    name, _, part = matched(f"{NAME}/environments/(.+)", path).partition("/")
    found = environment(name)
    if part.startswith("variables/"):
        variable = part.removeprefix("variables/")
        return {"name": variable, "value": found["variables"].get(variable) or refuse("HTTP 404: Not Found")}
    if part == "deployment-branch-policies":
        return {"branch_policies": [{"name": branch, "type": "branch"} for branch in found["branches"]]}
    return found if not part else refuse(f"unknown path: {path}")


def environment(name: str) -> dict[str, Any]:
    """An environment that was made before."""
    found: dict[str, Any] = state["environments"].get(name) or refuse("HTTP 404: Not Found")
    return found


def matched(pattern: str, path: str) -> str:
    """What a path names."""
    found = re.fullmatch(pattern, path)
    if not found:
        refuse(f"HTTP 404: unknown path: {path}")
    assert found
    return found[1] if found.groups() else path


def refuse(why: str) -> Any:
    """End as gh does."""
    print(f"gh: {why}", file=sys.stderr)
    sys.exit(1)


main(sys.argv[2:])
