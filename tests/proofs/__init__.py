"""What the templates promise, shown: a module and a make target for each promise."""
