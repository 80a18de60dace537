"""How good a model is, beside baselines, on reads that it has not seen."""
