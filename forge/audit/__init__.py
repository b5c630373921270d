"""Checks of finished wheels: rules as data with stable ids, pure functions from a read wheel to findings."""
