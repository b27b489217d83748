"""Lets `python -m serverless_templates` do what the command `serverless-templates` does."""

from .cli import main

main(prog_name="serverless-templates")
