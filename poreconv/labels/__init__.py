"""Labels: where they come from, and how several become one."""
