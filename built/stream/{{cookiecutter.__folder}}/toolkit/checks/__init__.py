"""Checks of template.yaml, its policies and its pipeline, for any service."""
