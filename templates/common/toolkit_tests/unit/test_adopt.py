"""What is imported is what the template says of it, as the environment sets it."""

import json

import pytest

from toolkit.commands.adopt import IDENTIFIED_BY, template_of
from toolkit.template import template

DATA = {
    name: resource
    for name, resource in template()["Resources"].items()
    if resource["Type"] in IDENTIFIED_BY
}


def test_all_that_stays_can_be_imported_together() -> None:
    body = template_of("prod", list(DATA))

    assert body["Resources"].keys() == DATA.keys()
    # An import takes no transform, so no function of its may be left.
    assert not {"Fn::If", "Fn::FindInMap"} & set(json.dumps(body).split('"'))
    for resource in body["Resources"].values():
        assert resource["DeletionPolicy"] == "RetainExceptOnCreate"


def test_what_cannot_be_imported_is_refused() -> None:
    with pytest.raises(SystemExit, match="AlarmTopic cannot be imported; these can: "):
        template_of("prod", ["AlarmTopic"])
