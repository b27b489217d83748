"""The commands of `python -m toolkit`: one module each, with a function `main`."""
