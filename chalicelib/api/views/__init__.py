"""Records as public JSON, in Trove's shapes."""
