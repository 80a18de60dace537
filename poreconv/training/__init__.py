"""Training: windows, loss, Lightning, and the run that writes a bundle."""
