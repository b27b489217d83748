"""What is deployed takes effect: each change of a function is a new version, and nothing else is.

Callers reach a function through its alias, and the alias a published version. A change that
publishes none is deployed, green, and without effect.
"""

import atexit
import json
import os
import subprocess
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from toolkit.stacks import PROJECT
from toolkit.template import ENVIRONMENTS, functions, load, parameters, template

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
    "SnapStart": {"SnapStart": {"ApplyOn": "Other"}},
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


def changed(names: Iterable[str], properties: dict[str, Any]) -> dict[str, Any]:
    """The template with some properties of some functions changed."""
    stack = packaged()
    for name in names:
        own = stack["Resources"][name]["Properties"]
        for key, value in properties.items():
            own[key] = own.get(key, {}) | value if isinstance(value, dict) else value
    return stack


def translated(*stacks: tuple[dict[str, Any], dict[str, Any]]) -> list[dict[str, Any]]:
    """Versions and settings of the functions of each template, with its parameters."""
    translator = _translator()
    assert translator.stdin
    assert translator.stdout
    results = []
    for stack, given in stacks:
        asked = json.dumps({"template": stack, "parameters": given})
        print(asked, file=translator.stdin, flush=True)
        answer = translator.stdout.readline()
        if not answer:
            _translator.cache_clear()  # The next test starts another.
            pytest.fail("translate.py has failed, and has written why")
        results.append(json.loads(answer))
    return results


@cache
def _translator() -> subprocess.Popen[str]:
    """What translates, as long as we run: it takes longer to start than to translate."""
    translator = subprocess.Popen(
        [SAM_PYTHON, Path(__file__).with_name("translate.py")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        encoding="utf-8",
    )
    atexit.register(translator.communicate)  # Closes its input, at which it ends.
    return translator


def test_sam_takes_every_parameter_as_text() -> None:
    """CloudFormation hands parameters over as text, and SAM refuses text where it wants a number.

    AWS::LanguageExtensions fills them in before SAM sees the template.
    """
    assert len(translated(*((packaged(), parameters(env)) for env in ENVIRONMENTS))) == 3


def test_each_change_of_a_function_is_a_new_version_of_it() -> None:
    dev = parameters("dev")

    before, *after = translated(
        (packaged(), dev), *((changed(NAMES, setting), dev) for setting in CHANGES.values())
    )

    assert before["versions"].keys() == set(NAMES)
    assert {
        setting: _changed_versions(before, found)
        for setting, found in zip(CHANGES, after, strict=True)
    } == {setting: set(NAMES) for setting in CHANGES}


def test_a_change_of_one_function_is_no_new_version_of_another() -> None:
    dev = parameters("dev")

    before, after = translated((packaged(), dev), (changed(NAMES[:1], CHANGES["Timeout"]), dev))

    assert _changed_versions(before, after) == set(NAMES[:1])


def test_a_parameter_is_a_new_version_of_what_it_reaches_and_of_nothing_else() -> None:
    """Put a `!Ref` to a parameter on the function: in Globals, SAM does not see its value."""
    dev = parameters("dev")
    names = sorted(template()["Parameters"])

    before, *after = translated(
        (packaged(), dev),
        *((packaged(), dev | {name: f"{dev[name]}1"}) for name in names),
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

    before, after = translated((packaged(), parameters("dev")), (other, parameters("dev")))

    assert _changed_versions(before, after) == set()


def _properties(resource: Any) -> dict[str, Any]:
    """Those of a resource; none for Fn::ForEach, which is a list."""
    return resource.get("Properties", {}) if isinstance(resource, dict) else {}


def _changed_versions(before: dict[str, Any], after: dict[str, Any]) -> set[str]:
    return {name for name in NAMES if before["versions"][name] != after["versions"][name]}
