"""Tests of bot.iletimerkezi."""
