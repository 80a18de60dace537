"""Labelling while reads are sequenced."""
