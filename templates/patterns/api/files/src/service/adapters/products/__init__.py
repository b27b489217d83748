"""The table of products, a module per operation: a function imports no more than it may do."""
