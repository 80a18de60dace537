"""The health of a run, from signal alone: a table of its reads, a summary of it, and a page."""
