"""What all commands need to run: files, processes, progress, the drop ledger."""
