"""Linking: which two things are the same, how sure that is, and why."""
