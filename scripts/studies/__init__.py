"""The programs behind the numbers in the docs: each measures something, prints it and writes it as JSON."""
