"""Runs pip-audit, whose answer to a missing network is a traceback.

python -m toolkit audit .venv-audit/bin/pip-audit --disable-pip ...
"""

import subprocess
import sys


def main() -> None:
    """Run the command line that follows."""
    done = subprocess.run(sys.argv[1:], stderr=subprocess.PIPE, encoding="utf-8", check=False)
    if "Traceback" in done.stderr and "requests.exceptions." in done.stderr:
        sys.exit("No vulnerabilities were looked for: check the network and the proxy settings")
    sys.stderr.write(done.stderr)
    sys.exit(done.returncode)
