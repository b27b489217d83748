"""Gap: ministack runs Python functions on a script of its own, in its own environment variables.

Closed: they run on AWS's own runtime client, with only the variables that Lambda sets. So errors
have their types, crashes look as on AWS, and a variable that the template misses is missing here.
Each process has its own session, so that a call shows which process made it.
"""

import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from ministack.core import lambda_runtime
from ministack.services import lambda_svc, sts

from toolkit.local_aws import processes

BOOTSTRAP = """\
#!/bin/sh
exec "{python}" -m awslambdaric "$_HANDLER"
"""

# What a function needs of the machine it runs on, and of the local AWS.
FROM_MACHINE = ("PATH", "LANG", "LC_ALL", "TZ", "TMPDIR", "AWS_ENDPOINT_URL", "AWS_CA_BUNDLE")
# What Lambda sets: docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html
FROM_LAMBDA = (
    "_HANDLER",
    "AWS_ACCESS_KEY_ID",
    "AWS_DEFAULT_REGION",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
    "AWS_LAMBDA_FUNCTION_NAME",
    "AWS_LAMBDA_FUNCTION_VERSION",
    "AWS_LAMBDA_LOG_STREAM_NAME",
    "AWS_LAMBDA_RUNTIME_API",
    "AWS_REGION",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "LAMBDA_TASK_ROOT",
)


def is_needed() -> bool:
    runs_on = lambda_runtime._worker_class_for({"Runtime": "python3.13"})
    return runs_on is not lambda_runtime.ProvidedWorker


def access_key_at(port: int) -> str:
    """Of the session of the process whose events come from a port."""
    return f"ASIA{port:016}"


def close() -> None:
    code_dir = lambda_svc._provided_runtime_code_dir
    worker_env = lambda_svc._provided_worker_env
    runtime_api = lambda_runtime.ProvidedWorker._build_handler_class

    def code_dir_with_bootstrap(code_zip: bytes) -> str:
        directory: str = code_dir(code_zip)
        bootstrap = Path(directory, "bootstrap")
        if not bootstrap.exists():
            bootstrap.write_text(BOOTSTRAP.format(python=sys.executable), "utf-8")
            bootstrap.chmod(0o755)
        return directory

    def lambda_env(config: dict[str, Any], directory: str, port: int) -> dict[str, str]:
        env = worker_env(config, directory, port)
        session = sts._sessions[env["AWS_ACCESS_KEY_ID"]]
        env["AWS_ACCESS_KEY_ID"] = access_key_at(port)
        sts.register_session(access_key_at(port), session)
        from_template = lambda_svc._runtime_env_vars(config)
        names = (*FROM_MACHINE, *FROM_LAMBDA, *from_template)
        return {name: env[name] for name in names if name in env} | {
            "AWS_EXECUTION_ENV": f"AWS_Lambda_{config['Runtime']}",
            "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
            "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{config['FunctionName']}",
            "PYTHONPATH": directory,
        }

    def buffered_runtime_api(worker: Any, *rest: Any) -> Any:
        """Or head and body of its answers are two packets, and TCP holds the second for 40 ms."""
        handler = runtime_api(worker, *rest)
        handler.wbufsize = -1
        return handler

    lambda_svc._provided_runtime_code_dir = code_dir_with_bootstrap
    lambda_svc._provided_worker_env = lambda_env
    lambda_svc._execute_function_warm = lambda_svc._execute_function_provided_warm
    lambda_runtime._worker_class_for = lambda _: lambda_runtime.ProvidedWorker
    lambda_runtime.ProvidedWorker._build_handler_class = buffered_runtime_api
    lambda_runtime.subprocess = SimpleNamespace(**vars(subprocess) | {"Popen": processes.start})
