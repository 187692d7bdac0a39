"""The process that takes commands in: from Slack to the journal."""
