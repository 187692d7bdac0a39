"""The journal read as the audit: who asked for what, where and when, and what came of it."""
