"""What is deployed takes effect: each change of a function is a new version, and nothing else is.

Callers reach a function through its alias, and the alias a published version. A change that
publishes none is deployed, green, and without effect.
"""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

from scripts.shipped import functions, load, parameters, template
from scripts.stacks import PROJECT

SAM_PYTHON = Path(f"{os.environ.get('VENV', PROJECT / '.venv')}-sam", "bin", "python")
NAMES = sorted(functions())
# A change of each property, by its name in the Lambda API, as SAM writes it.
CHANGES: dict[str, dict[str, Any]] = {
    "Code": {"CodeUri": "s3://bucket/other"},
    "DeadLetterConfig": {"DeadLetterQueue": {"Type": "SQS", "TargetArn": "arn:aws:sqs:::other"}},
    "Description": {"Description": "Other"},
    "Environment": {"Environment": {"Variables": {"OTHER": "1"}}},
    "EphemeralStorage": {"EphemeralStorage": {"Size": 1024}},
    "FileSystemConfigs": {
        "FileSystemConfigs": [{"Arn": "arn:aws:elasticfilesystem:::a", "LocalMountPath": "/mnt/a"}]
    },
    "Handler": {"Handler": "service.handlers.other.handler"},
    "KMSKeyArn": {"KmsKeyArn": "arn:aws:kms:::other"},
    "Layers": {"Layers": ["arn:aws:lambda:eu-west-1:123456789012:layer:other:1"]},
    "LoggingConfig": {"LoggingConfig": {"SystemLogLevel": "WARN"}},
    "MemorySize": {"MemorySize": 1769},
    "Role": {"Role": "arn:aws:iam::123456789012:role/other"},
    "Runtime": {"Runtime": "python3.99"},
    "SnapStart": {"SnapStart": {"ApplyOn": "PublishedVersions"}},
    "Timeout": {"Timeout": 59},
    "TracingConfig": {"Tracing": "PassThrough"},
    "VpcConfig": {"VpcConfig": {"SubnetIds": ["subnet-1"], "SecurityGroupIds": ["sg-1"]}},
}


def packaged() -> dict[str, Any]:
    """The template as `sam package` leaves it: code and definitions are in S3."""
    stack = load("template.yaml")
    stack["Globals"]["Function"]["CodeUri"] = "s3://bucket/key"
    for resource in stack["Resources"].values():
        if "DefinitionUri" in _properties(resource):
            resource["Properties"]["DefinitionUri"] = "s3://bucket/definition"
    return stack


def values(environment: str, **other: str) -> dict[str, Any]:
    """The parameters of an environment; what SAM wants to be a number is one."""
    found = parameters(environment) | other
    kinds = {name: declared["Type"] for name, declared in template()["Parameters"].items()}
    return {name: int(value) if kinds[name] == "Number" else value for name, value in found.items()}


def changed(logical_id: str, properties: dict[str, Any]) -> dict[str, Any]:
    """The template with some properties of one function changed."""
    stack = packaged()
    own = stack["Resources"][logical_id]["Properties"]
    for name, value in properties.items():
        own[name] = own.get(name, {}) | value if isinstance(value, dict) else value
    return stack


def translated(*stacks: tuple[dict[str, Any], dict[str, Any]]) -> list[dict[str, Any]]:
    """Versions and settings of the functions of each template, with its parameters."""
    done = subprocess.run(
        [SAM_PYTHON, Path(__file__).with_name("translate.py")],
        input=json.dumps([{"template": stack, "parameters": given} for stack, given in stacks]),
        text=True,
        stdout=subprocess.PIPE,
        check=True,
    )
    results: list[dict[str, Any]] = json.loads(done.stdout)
    return results


def test_each_change_of_a_function_is_a_new_version_of_it() -> None:
    dev = values("dev")
    cases = [(name, setting) for name in NAMES for setting in CHANGES]

    before, *after = translated(
        (packaged(), dev), *((changed(name, CHANGES[setting]), dev) for name, setting in cases)
    )

    assert before["versions"].keys() == set(NAMES)
    assert {
        (name, setting): _changed_versions(before, found)
        for (name, setting), found in zip(cases, after, strict=True)
    } == {(name, setting): {name} for name, setting in cases}


def test_a_parameter_is_a_new_version_of_what_it_reaches_and_of_nothing_else() -> None:
    """Put a `!Ref` to a parameter on the function: in Globals, SAM does not see its value."""
    dev = parameters("dev")
    names = sorted(template()["Parameters"])

    before, *after = translated(
        (packaged(), values("dev")),
        *((packaged(), values("dev", **{name: f"{dev[name]}1"})) for name in names),
    )

    reached = {
        name: {
            function
            for function in NAMES
            if found["settings"][function] != before["settings"][function]
        }
        for name, found in zip(names, after, strict=True)
    }
    assert reached["LogLevel"] == set(NAMES)
    assert {
        name: _changed_versions(before, found) for name, found in zip(names, after, strict=True)
    } == reached


def test_nothing_but_a_function_publishes_versions() -> None:
    other = packaged()
    for resource in other["Resources"].values():
        if not (isinstance(resource, dict) and resource["Type"].startswith("AWS::Serverless::")):
            _properties(resource)["Other"] = "1"

    before, after = translated((packaged(), values("dev")), (other, values("dev")))

    assert _changed_versions(before, after) == set()


def _properties(resource: Any) -> dict[str, Any]:
    """Those of a resource; of Fn::ForEach, which is a list, there are none."""
    return resource.get("Properties", {}) if isinstance(resource, dict) else {}


def _changed_versions(before: dict[str, Any], after: dict[str, Any]) -> set[str]:
    return {name for name in NAMES if before["versions"][name] != after["versions"][name]}
