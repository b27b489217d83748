"""A local AWS for the shipped template: IAM enforced, on loopback, no Docker and no account."""
