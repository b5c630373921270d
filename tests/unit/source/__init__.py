"""Tests of forge.source."""
