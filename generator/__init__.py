"""Generator of serverless projects for AWS: it builds the templates, and creates and updates projects from them."""

__version__ = "0.1.0"
