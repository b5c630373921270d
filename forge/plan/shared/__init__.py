"""The shared cache: a second level that several machines read, and that some of them write to."""
