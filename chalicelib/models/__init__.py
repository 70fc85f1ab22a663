"""Records: one table, one file, one noun."""
