"""What runs inside a generated project: with its Python, its modules and its local AWS."""
