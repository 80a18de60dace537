"""The formats that label sources read."""
