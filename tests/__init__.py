"""The tests: test_<module>.py beside each module's name, all through the real thing."""
