"""Writing recipes: what a project publishes, read and made a recipe of, and the first build of that tried."""
