"""The /addgroup bot: makes iletiMerkezi contact groups from Slack."""

__version__ = "0.3.0"
