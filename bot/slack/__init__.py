"""Everything said to Slack: calls, people and permissions, messages and their texts."""
