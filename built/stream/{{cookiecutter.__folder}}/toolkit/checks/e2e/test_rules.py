"""CloudFormation refuses to deploy prod with missing settings, and names the setting."""

import json

import pytest
from botocore.exceptions import ClientError

from toolkit.local_aws.stack import LocalAws
from toolkit.template import parameters, template


def refused(aws: LocalAws, environment: str, alarm_email: str) -> str:
    """What CloudFormation says to the template's parameters and rules, without its resources."""
    loaded = template()
    body = {key: loaded[key] for key in ("AWSTemplateFormatVersion", "Parameters", "Rules")}
    body["Resources"] = {"Nothing": {"Type": "AWS::CloudFormation::WaitConditionHandle"}}
    given = parameters(environment) | {"AlarmEmail": alarm_email}
    cloudformation = aws.client("cloudformation")
    try:
        cloudformation.create_stack(
            StackName=f"rules-{environment}-{len(alarm_email)}",
            TemplateBody=json.dumps(body),
            Parameters=[{"ParameterKey": k, "ParameterValue": v} for k, v in given.items()],
        )
    except ClientError as error:
        return str(error)
    return ""


def test_prod_is_not_deployed_without_somebody_who_hears_of_alarms(aws: LocalAws) -> None:
    error = refused(aws, "prod", alarm_email="")

    assert "ValidationError" in error
    assert "AlarmEmail is empty: set it in samconfig.toml" in error
    assert "AlarmEmail" not in refused(aws, "prod", alarm_email="alarms@example.com")


@pytest.mark.parametrize("environment", ["dev", "staging", "local"])
def test_other_environments_need_nobody(aws: LocalAws, environment: str) -> None:
    assert refused(aws, environment, alarm_email="") == ""
