"""Tests of bot.journal."""
