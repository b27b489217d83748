"""The error that the workflow retries."""


class TryAgainError(Exception):
    """It may work in a moment. The workflow knows this error by its name, and tries again."""
