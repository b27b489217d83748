"""Template tests read files only."""

import tests.isolated  # noqa: F401
