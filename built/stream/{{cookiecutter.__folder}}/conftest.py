"""All tests use the toolkit's fixtures; toolkit/README.md lists them."""

pytest_plugins = ["toolkit.testing"]
