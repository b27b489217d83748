"""One adapter per AWS service in use; each takes its client as an argument."""
