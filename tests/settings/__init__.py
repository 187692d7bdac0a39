"""Tests of bot.settings."""
