"""All that knows of Slack: what people do there, and how they are answered."""
