"""One module per command: the Python API behind it. Siblings do not meet."""
