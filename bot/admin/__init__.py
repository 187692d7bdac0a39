"""The commands for operators: check, history and manifest."""
