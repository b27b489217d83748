"""The process that is the local AWS. It lives as long as its standard input stays open.

Started by `stack.py` with the Python of its own environment. Once it listens, it writes one line of
JSON: {"endpoint": …, "ca": …}.
"""

import asyncio
import json
import os
import shutil
import signal
import socket
import sys
import threading
from pathlib import Path

import trustme
from hypercorn.asyncio import serve
from hypercorn.config import Config

from toolkit.local_aws import gaps
from toolkit.local_aws.faults import Faults


def main() -> None:
    """Serve until standard input closes, then leave no process and no file behind."""
    files = Path(os.environ["TMPDIR"])
    # Ctrl-C is for the parent, which then closes our input.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_input, args=[files], daemon=True).start()
    asyncio.run(_serve(files))


def _end_with_input(files: Path) -> None:
    sys.stdin.read()
    shutil.rmtree(files, ignore_errors=True)
    os.killpg(0, signal.SIGKILL)  # Functions run in this process group, which is ours alone.


async def _serve(files: Path) -> None:
    listener = socket.create_server(("127.0.0.1", 0))
    endpoint = f"https://localhost:{listener.getsockname()[1]}"
    certificate, ca = _certificate(files)
    os.environ.update(_settings(endpoint, ca))
    gaps.close_all()
    # These read ministack's settings on import.
    from ministack.app import app

    from toolkit.local_aws import no_waiting

    no_waiting.leave_out()

    config = Config()
    config.bind = [f"fd://{listener.fileno()}"]
    config.certfile = config.keyfile = str(certificate)
    config.keep_alive_timeout = 75
    config.loglevel = "WARNING"
    print(json.dumps({"endpoint": endpoint, "ca": str(ca)}), flush=True)
    await serve(Faults(app), config)


def _certificate(files: Path) -> tuple[Path, Path]:
    """TLS as on AWS, so that policies which demand it are put to the test."""
    authority = trustme.CA()
    certificate, ca = files / "localhost.pem", files / "ca.pem"
    issued = authority.issue_cert("localhost", "127.0.0.1")
    issued.private_key_and_cert_chain_pem.write_to_path(str(certificate))
    authority.cert_pem.write_to_path(str(ca))
    return certificate, ca


def _settings(endpoint: str, ca: Path) -> dict[str, str]:
    return {
        "AUTH": "true",  # IAM decides about every call.
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_CA_BUNDLE": str(ca),
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_SECRET_ACCESS_KEY": "test",
        "BIND_HOST": "127.0.0.1",
        "GATEWAY_PORT": endpoint.rpartition(":")[2],
        "IOT_MTLS_ENABLED": "0",  # Or it opens a second port.
        "MINISTACK_ACCOUNT_ID": "123456789012",
        "MINISTACK_HOST": "localhost",
        "MINISTACK_REGION": os.environ["AWS_REGION"],
        "USE_SSL": "1",
    }


if __name__ == "__main__":
    main()
