"""Keeps the caller's AWS settings from the local AWS, and its requests from AWS."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch
from urllib.parse import urlsplit

LOOPBACK = ("localhost", "127.0.0.1")
# The local AWS's own keys, and nobody's files: a profile in them could name other credentials, or
# have endpoints ignored.
SETTINGS = {
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_DEFAULT_REGION": "eu-west-1",
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
}
PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy")
# What an installer needs to reach a package index: its address, certificates and proxy.
FOR_INSTALLING = ("UV_", "SSL_", "XDG_", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", *PROXIES)


class NotLocalError(Exception):
    """A request was to leave this machine."""


def without_aws_settings(environ: Mapping[str, str]) -> dict[str, str]:
    """An environment with no AWS settings of the caller's, where loopback goes through no proxy."""
    kept = {name: value for name, value in environ.items() if not name.startswith("AWS_")}
    return kept | SETTINGS | no_proxy(environ)


def no_proxy(environ: Mapping[str, str]) -> dict[str, str]:
    """Where no proxy is used: where the caller wants none, and on loopback."""
    wanted = environ.get("no_proxy") or environ.get("NO_PROXY") or ""
    value = ",".join([*filter(None, [wanted]), *LOOPBACK])
    return {"NO_PROXY": value, "no_proxy": value}


def for_installing(environ: Mapping[str, str]) -> dict[str, str]:
    """What `sam build` needs of the caller's environment to install packages."""
    return {name: environ[name] for name in environ if name.startswith(FOR_INSTALLING)}


@contextmanager
def isolated() -> Iterator[None]:
    """This process, and those it starts, see no AWS settings of the caller's."""
    with patch.dict(os.environ, without_aws_settings(os.environ), clear=True):
        yield


def refuse_all_but_loopback(request: Any, **_: object) -> None:
    """For botocore's event `before-send`: a request to AWS itself ends here.

    Raises:
        NotLocalError: it goes to another host.
    """
    host = urlsplit(request.url).hostname
    if host not in LOOPBACK:
        raise NotLocalError(f"{host} is not this machine: nothing was sent")
