"""One module per command: the Python API behind it. They do not import each other."""
