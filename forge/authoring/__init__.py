"""Writing and changing recipes' files for people: new ones, and those of older versions of the format."""
