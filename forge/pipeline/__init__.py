"""Recipes by pull request: what a run made of a change, told in one comment, and the workflows that do it."""
