"""Tests that hold README, docs and pictures to the code."""
