"""Data files of the checks: policies, and lists of symbols."""
