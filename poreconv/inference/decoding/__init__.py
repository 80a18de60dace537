"""From the probabilities of samples to events."""
