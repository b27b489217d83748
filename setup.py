"""Puts the built templates, their catalogue and their origin into the wheel, beside the code that reads them."""

import os
import runpy
import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py
from setuptools.command.sdist import sdist

ROOT = Path(__file__).parent
GIT = runpy.run_path(str(ROOT / "generator/git.py"))
# Where the repository was cloned from: a source distribution has it in this file.
ORIGIN = "origin.txt"


def origin() -> str:
    """Where these sources were cloned from, without a password; empty when that is not known."""
    if (ROOT / ORIGIN).is_file():
        return (ROOT / ORIGIN).read_text("utf-8")
    if GIT["top_level"](ROOT) != ROOT.resolve():
        return ""
    return str(GIT["without_credentials"](GIT["git"](ROOT, "remote", "get-url", "origin") or ""))


class SourceWithOrigin(sdist):  # type: ignore[misc] # setuptools has no types
    """Writes down where the sources came from, since a source distribution has no git."""

    def make_release_tree(self, base_dir: str, files: list[str]) -> None:
        """Do it."""
        super().make_release_tree(base_dir, files)
        Path(base_dir, ORIGIN).write_text(origin(), "utf-8")


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
        (data / ORIGIN).write_text(origin(), "utf-8")


def has_files_that_git_does_not_know() -> bool:
    """Whether templates are packed that are in no commit, which setuptools-scm does not look for."""
    command = ("ls-files", "--others", "--exclude-standard", "--", "built", "templates")
    return (ROOT / ".git").exists() and GIT["git"](ROOT, *command) != ""


if has_files_that_git_does_not_know():
    os.environ["SETUPTOOLS_SCM_PRETEND_VERSION_FOR_SERVERLESS_TEMPLATES"] = "0+unknown"
setup(cmdclass={"build_py": BuildWithTemplates, "sdist": SourceWithOrigin})
