"""Pore models: level, noise and dwell of each k-mer."""
