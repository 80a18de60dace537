"""Labelling of reads while they are sequenced."""
