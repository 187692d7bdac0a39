"""Tests of bot.front."""
