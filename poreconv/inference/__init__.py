"""Trained models at work: whole reads, streams, and a look inside."""
