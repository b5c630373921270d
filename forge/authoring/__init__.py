"""Writing and changing recipes' files for people: new ones, old formats, and newer versions of their projects."""
