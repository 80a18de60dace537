"""Datasets: reads and labels on their way into a store, and the store."""
