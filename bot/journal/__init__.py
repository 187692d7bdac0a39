"""The journal: every accepted command, on disk before anybody is told."""
