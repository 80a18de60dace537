"""What `scripts/release` checks: the content of wheel and source distribution, and that an installed wheel works."""
