"""Programs that stand in for those of a whole machine. They run by themselves, from a PATH, and import no test."""
