"""Tests of forge.recipe."""
