"""Gap: an API of the local AWS does not answer under its name on AWS, `<id>.execute-api.<region>.amazonaws.com`.

Closed: requests that reach it are routed by that name, and a second port has a certificate for it. Names resolve to
that port in the jobs that the rehearsal runs: see ../job/sitecustomize.py. A stack's outputs stay as they are.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import ssl
import threading
from pathlib import Path

import trustme
from ministack import app

# What a job needs to know, beside the local AWS's own certificate.
FRONT = "api-names.json"


def is_needed() -> bool:
    """Whether the name of an API on AWS is still not known."""
    return not app._EXECUTE_API_RE.match("0123abcd.execute-api.eu-west-1.amazonaws.com")


def close() -> None:
    """Know the names, and answer under them."""
    app._EXECUTE_API_RE = re.compile(r"^([a-z0-9]+)\.execute-api\.(?:[a-z0-9-]+\.amazonaws\.com|localhost)(?::\d+)?$")
    threading.Thread(target=lambda: asyncio.run(_serve()), daemon=True).start()


async def _serve() -> None:
    files = Path(os.environ["TMPDIR"])
    authority = trustme.CA()
    region = os.environ["AWS_REGION"]
    issued = authority.issue_cert(f"*.execute-api.{region}.amazonaws.com")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    issued.configure_cert(context)
    server = await asyncio.start_server(_relay, "127.0.0.1", 0, ssl=context)
    front = {"port": server.sockets[0].getsockname()[1], "ca": authority.cert_pem.bytes().decode()}
    unfinished = files / "api-names.tmp"
    unfinished.write_text(json.dumps(front), "utf-8")
    unfinished.rename(files / FRONT)
    await server.serve_forever()


async def _relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Hand a connection on to the local AWS, byte by byte: signatures stay good."""
    own = ssl.create_default_context(cafile=os.environ["AWS_CA_BUNDLE"])
    there, here = await asyncio.open_connection("localhost", int(os.environ["GATEWAY_PORT"]), ssl=own)
    await asyncio.gather(_copy(reader, here), _copy(there, writer), return_exceptions=True)


async def _copy(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    try:
        while data := await source.read(65_536):
            target.write(data)
            await target.drain()
    finally:
        target.close()
