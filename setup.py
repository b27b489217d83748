"""Puts the built templates and their catalogue into the wheel, beside the code that reads them."""

import os
import shutil
import subprocess
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

ROOT = Path(__file__).parent


class BuildWithTemplates(build_py):  # type: ignore[misc] # setuptools has no types
    """Copies code, and then the data; an editable install reads the data in the checkout instead."""

    def run(self) -> None:
        """Do it."""
        super().run()
        if self.editable_mode:
            return
        data = Path(self.build_lib, "serverless_templates", "data")
        shutil.rmtree(data, ignore_errors=True)
        shutil.copytree(ROOT / "built", data / "built")
        for source in (ROOT / "templates/catalogue.yaml", *(ROOT / "templates/patterns").glob("*/pattern.yaml")):
            target = data / source.relative_to(ROOT)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, target)


def has_files_that_git_does_not_know() -> bool:
    """Whether templates are packed that are in no commit, which setuptools-scm does not look for."""
    if not (ROOT / ".git").exists():
        return False
    command = ["git", "-C", str(ROOT), "ls-files", "--others", "--exclude-standard", "--", "built", "templates"]
    try:
        done = subprocess.run(command, capture_output=True, check=False)  # noqa: S603
    except OSError:  # without git, setuptools-scm knows no version either
        return False
    return done.returncode != 0 or bool(done.stdout)


if has_files_that_git_does_not_know():
    os.environ["SETUPTOOLS_SCM_PRETEND_VERSION_FOR_SERVERLESS_TEMPLATES"] = "0+unknown"
setup(cmdclass={"build_py": BuildWithTemplates})
