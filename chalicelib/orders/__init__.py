"""Orders: what a caller asks for, checked, and turned into records and a job. Both front doors place them here."""
