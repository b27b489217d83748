"""Name resolution and certificates of the rehearsal: an API's name on AWS leads to the local AWS.

Python runs this at its start in each job. It plays the two things that a job has of the Internet: DNS, and the
authorities that clients trust. Nothing of the project is changed.
"""

from __future__ import annotations

import json
import os
import re
import socket
import ssl
from pathlib import Path
from typing import Any

if _front := os.environ.get("REHEARSAL_API_NAMES"):
    _known = json.loads(Path(_front).read_text("utf-8"))
    _name = re.compile(r"[a-z0-9]+\.execute-api\.[a-z0-9-]+\.amazonaws\.com")
    _resolve, _trust = socket.getaddrinfo, ssl.SSLContext.load_verify_locations

    def _local(host: Any, port: Any, *args: Any, **options: Any) -> Any:
        if isinstance(host, str) and _name.fullmatch(host):
            host, port = "127.0.0.1", _known["port"]
        return _resolve(host, port, *args, **options)

    def _trusting(context: ssl.SSLContext, *args: Any, **options: Any) -> None:
        _trust(context, *args, **options)
        _trust(context, cadata=_known["ca"])

    socket.getaddrinfo = _local
    ssl.SSLContext.load_verify_locations = _trusting  # type: ignore[assignment, method-assign]
