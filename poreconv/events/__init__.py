"""Events, the tasks that they make, and files of them."""
