"""Waits that AWS makes for minutes, and ministack for moments, are left out: nothing else changes.

On AWS a message whose processing failed is delivered again after its queue's visibility timeout.
Here it is delivered again as soon as its invocation has ended. State machines do not wait: neither
in `Wait`, nor before retries.
"""

import threading
import time
from types import SimpleNamespace
from typing import Any

from ministack.core import lambda_runtime
from ministack.services import lambda_svc, sqs, stepfunctions

# How often ministack looks whether a process has died.
POLL_SECONDS = 0.005


def leave_out() -> None:
    """Leave out the waits, before ministack starts."""
    lambda_runtime._PROVIDED_POLL = POLL_SECONDS
    lambda_runtime.ProvidedWorker._shutdown_server = _shut_down_meanwhile
    stepfunctions.time = SimpleNamespace(**vars(time) | {"sleep": lambda _: None})
    process = lambda_svc._run_sqs_batch

    def process_and_return_failed(
        mapping: dict[str, Any], function: Any, event: Any, batch: Any, url: str, name: str
    ) -> None:
        process(mapping, function, event, batch, url, name)
        lambda_svc._esm_backoff_until.pop(mapping["UUID"], None)
        taken = {message["receipt_handle"] for message in batch}
        with sqs._queues_lock:
            for message in sqs._get_q(url)["messages"]:
                if message["receipt_handle"] in taken:
                    message["visible_at"] = time.time()
        sqs.esm_wake.set()

    lambda_svc._run_sqs_batch = process_and_return_failed


def _shut_down_meanwhile(worker: Any) -> None:
    """The server that a process has ends within 0.1 s: the next process need not wait for it."""
    server, worker._server = worker._server, None
    worker._server_thread = None
    if server is not None:
        threading.Thread(target=_shut_down, args=[server], daemon=True).start()


def _shut_down(server: Any) -> None:
    server.shutdown()
    server.server_close()
