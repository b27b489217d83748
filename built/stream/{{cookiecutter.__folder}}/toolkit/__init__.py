"""What the template keeps up in this project; toolkit/README.md says what is in it."""
