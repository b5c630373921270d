"""The catalogue of failures: what a build's log looks like, the cause, and what mends it."""
