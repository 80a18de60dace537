"""Reads as a sequencer stores them, and what can be done to their signal."""
