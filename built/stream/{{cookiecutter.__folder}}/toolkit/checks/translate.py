"""What CloudFormation makes of a template, by AWS's own code; runs with the SAM CLI's Python.

Reads JSON from standard input, a line for each {"template": …, "parameters": …}, and answers with a
line: {"versions": {function: logical id of its version}, "settings": {function: what is set}}.
"""

import json
import os
import sys
from typing import Any

from samcli.lib.cfn_language_extensions import process_template
from samtranslator.translator.transform import transform

os.environ.setdefault("AWS_DEFAULT_REGION", "eu-west-1")


class NoManagedPolicies:
    """No function here uses any."""

    def load(self) -> dict[str, str]:
        """Names of AWS's policies, and their ARNs."""
        return {}


def translated(template: dict[str, Any], parameters: dict[str, Any]) -> dict[str, Any]:
    """A template after the transforms that it declares, one after the other."""
    # The first fills in parameters, but in Resources only: Globals are still to come.
    expanded = process_template(template, parameters)
    found = transform(expanded, dict(parameters), NoManagedPolicies())
    # What is deployed in the end: nothing refers to a parameter any more.
    deployed = process_template(found, parameters)["Resources"]
    versions = {
        resource["Properties"]["FunctionName"]["Ref"]: name
        for name, resource in found["Resources"].items()
        if resource["Type"] == "AWS::Lambda::Version"
    }
    return {
        "versions": versions,
        "settings": {function: deployed[function]["Properties"] for function in versions},
    }


for line in sys.stdin:
    print(json.dumps(translated(**json.loads(line))), flush=True)
