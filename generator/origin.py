"""Says which version a project remembers, and which address: for the command, cookiecutter's hook and copier alike.

`make build` puts this module into the hook, so it uses nothing of the package, and its regular expressions into
`copier.yml`.
"""

import re

# A version is a tag `v1.2.3`. `v1` and `latest` move, and a pre-release is none: copier does not update to one either.
VERSION = r"v[0-9]+[.][0-9]+[.][0-9]+"
# What `git describe` says of a commit after a version; where it names another tag, the commit alone is recorded.
DESCRIBED = rf"{VERSION}(?:-[0-9]+-g[0-9a-f]+)?"
# The same for git, whose patterns cannot say "digits only": the excluded ones have something else, or too many parts.
DESCRIBE = (
    "describe",
    "--tags",
    "--match=v[0-9]*.[0-9]*.[0-9]*",
    "--exclude=*[!v0-9.]*",
    "--exclude=v*v*",
    "--exclude=*.*.*.*",
)
# What of an address is a secret, each with what stays: a password, and the user's name where that may be a token. With
# ssh it is no secret, and the address needs it.
SECRETS = (
    (r"(?i)^((?:git[+])?ssh://[^/?#:@]*):[^/?#]*@", r"\1@"),
    (r"(?i)^((?!(?:git[+])?ssh:)[a-z][a-z0-9+.-]*://)[^/?#]*@", r"\1"),
)


def without_credentials(address: str) -> str:
    """`address` without a password, and without the user's name where that is a secret as well."""
    for secret, rest in SECRETS:
        address = re.sub(secret, rest, address)
    return address
