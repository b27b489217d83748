"""Gap: ministack reads the definition of a state machine as JSON only.

Closed: a definition in YAML is turned into JSON when the state machine is made or changed.
"""

import json
from typing import Any

import yaml
from ministack.services.cloudformation import provisioners


def is_needed() -> bool:
    definition = provisioners._sfn_definition({"DefinitionString": "StartAt: A"})
    return bool(definition == "StartAt: A")


def close() -> None:
    definition_of = provisioners._sfn_definition

    def definition_as_json(properties: dict[str, Any]) -> str:
        # What is JSON is YAML as well.
        return json.dumps(yaml.safe_load(definition_of(properties)))

    provisioners._sfn_definition = definition_as_json
