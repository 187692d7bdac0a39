"""For operators: check, history and manifest."""
