"""Writing recipes: what a project publishes, read and made a recipe of, and recipes brought up to date."""
