"""What a user can bring to poreconv, each in a few lines."""
