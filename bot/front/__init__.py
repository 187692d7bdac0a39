"""Takes commands in: from Slack to the journal."""
