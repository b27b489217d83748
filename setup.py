"""Puts the built templates and their catalogue into the wheel, beside the code that reads them."""

import shutil
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


setup(cmdclass={"build_py": BuildWithTemplates})
