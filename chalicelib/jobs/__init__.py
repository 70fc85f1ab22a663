"""Jobs: the one bridge between the two front doors. They begin, launch, and end here, each in one transaction."""
