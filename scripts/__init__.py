"""Programs beside the package, of this repository alone: `studies` are the ones in Python."""
