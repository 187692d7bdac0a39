"""Measurements: each compares two things in one run and prints ratios. `make bench` runs all of them."""
