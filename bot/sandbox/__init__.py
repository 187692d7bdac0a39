"""Stand-ins on loopback for the group API and for Slack, for the console and for every test."""
