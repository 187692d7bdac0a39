"""The provider: its group API, and the groups of the account."""
