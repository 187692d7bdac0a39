"""How the bot speaks to Slack."""
