"""The process that carries jobs out: from the journal to the provider and back to Slack."""
