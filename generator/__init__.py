"""Generator of serverless projects for AWS: it builds the templates, and creates and updates projects from them."""

# The version that is being worked on, for `make check`. That of an installation comes from the tags of its repository.
__version__ = "0.1.0"
