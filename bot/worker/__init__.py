"""Carries jobs out: from the journal to the provider and back to Slack."""
