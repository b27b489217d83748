"""Entry points, one per function: read the event, call the domain, answer."""
