"""Probabilities of samples -> events, of whole reads and while a read is sequenced."""
