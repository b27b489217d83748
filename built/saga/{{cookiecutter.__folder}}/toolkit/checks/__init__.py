"""Checks of template.yaml, its policies and its pipeline, whatever the service does."""
