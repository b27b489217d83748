"""Every environment is complete, and nothing secret or unexplained is in what git holds."""

import re
import tomllib

import pytest

from toolkit.stacks import PROJECT, settings_of
from toolkit.template import CODE, ENVIRONMENTS, functions, parameters, template

# `sam sync` updates functions without CloudFormation: AWS advises it for development stacks only
# (AWS SAM developer guide, "sam sync").
ONLY_IN_DEV = {"sync.watch"}
TEXT = (PROJECT / "template.yaml").read_text("utf-8")


@pytest.mark.parametrize("environment", [*ENVIRONMENTS, "local"])
def test_every_environment_sets_every_parameter(environment: str) -> None:
    assert parameters(environment).keys() == template()["Parameters"].keys()


def test_no_parameter_has_a_default() -> None:
    """A default would hold in whichever environment forgets to decide."""
    defaults = [name for name, value in template()["Parameters"].items() if "Default" in value]

    assert defaults == []


def test_the_environments_have_settings_for_the_same_commands() -> None:
    settings = {
        environment: {
            f"{command}.{key}"
            for command, section in settings_of(environment).items()
            for key in section["parameters"]
        }
        for environment in ENVIRONMENTS
    }

    assert settings["dev"] - ONLY_IN_DEV == settings["staging"] == settings["prod"]


@pytest.mark.parametrize("environment", [*ENVIRONMENTS, "local"])
def test_each_section_is_about_its_own_environment(environment: str) -> None:
    section = settings_of(environment)
    tags = dict(tag.split("=", 1) for tag in section["deploy"]["parameters"]["tags"])

    assert {"project", "environment", "owner"} <= tags.keys()
    assert tags["environment"] == environment
    assert section["global"]["parameters"]["stack_name"] == f"{tags['project']}-{environment}"
    assert parameters(environment)["Environment"] == environment.replace("local", "dev")


def test_every_section_that_deploys_sets_the_same_tags() -> None:
    """A bill is split by tags, so a tag that is missing somewhere leaves a part of it out."""
    by_section = {
        section: {tag.split("=", 1)[0] for tag in settings["deploy"]["parameters"]["tags"]}
        for section, settings in tomllib.loads(
            (PROJECT / "samconfig.toml").read_text("utf-8")
        ).items()
        if "deploy" in (settings if isinstance(settings, dict) else {})
    }
    known = set().union(*by_section.values())

    missing = [
        f"[{section}.deploy.parameters] in samconfig.toml: the tag {tag} is missing"
        for section, tags in by_section.items()
        for tag in sorted(known - tags)
    ]
    assert not missing, "; ".join(missing)


def test_every_function_is_distinguished_on_the_bill() -> None:
    tags = [function.get("Tags", {}).get("function") for function in functions().values()]

    assert None not in tags, "add Tags: { function: … } to each function in template.yaml"
    assert sorted(tags) == sorted(set(tags))


def test_prod_moves_traffic_step_by_step_and_logs_no_details() -> None:
    assert parameters("prod")["DeploymentType"] != "AllAtOnce"
    assert parameters("prod")["LogLevel"] != "DEBUG"


def test_every_wildcard_resource_has_its_reason_beside_it() -> None:
    lines = TEXT.splitlines()
    wildcards = [i for i, line in enumerate(lines) if re.search(r"Resource: .*\*", line)]

    assert wildcards
    assert [lines[i] for i in wildcards if not re.match(r"\s+# ", lines[i - 1])] == []


@pytest.mark.parametrize(
    "path",
    [
        "template.yaml",
        "samconfig.toml",
        *(path.relative_to(PROJECT).as_posix() for path in CODE),
    ],
)
def test_nothing_secret_is_in_git(path: str) -> None:
    """Secrets are named by their ARN, and read at run time."""
    text = (PROJECT / path).read_text("utf-8")
    key_ids = re.findall(r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b", text)
    # An action such as secretsmanager:GetSecretValue is no value.
    values = re.findall(
        r"""(?i)(?:password|secret(?!smanager)|token|api_?key)\w*["']?\s*[:=]\s*["']?[A-Za-z0-9+/_-]{12,}""",
        text,
    )

    assert key_ids + values == []
