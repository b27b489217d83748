"""Where ministack differs from AWS, and what closes the difference: one file per gap.

Each hangs on private names of the pinned ministack version. A file has two functions: `is_needed`
asks ministack as it is whether the gap is still there, `close` closes it.
"""

import importlib
import pkgutil
from types import ModuleType


def all_gaps() -> list[ModuleType]:
    """The modules of this folder."""
    found = sorted(module.name for module in pkgutil.iter_modules(__path__))
    return [importlib.import_module(f"{__name__}.{name}") for name in found if name != "__main__"]


def close_all() -> None:
    """Close every gap, before ministack starts."""
    for gap in all_gaps():
        gap.close()
