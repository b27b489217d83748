"""Imported first by the tests that must not reach AWS: unit, template and e2e, but not smoke."""

import os

from local_aws.isolation import without_aws_settings

# Before anything imports boto3: no setting for AWS of this machine is read, above all no keys.
_environment = without_aws_settings(os.environ)
os.environ.clear()
os.environ |= _environment | {
    "POWERTOOLS_METRICS_NAMESPACE": "test",
    "POWERTOOLS_SERVICE_NAME": "test",
}
