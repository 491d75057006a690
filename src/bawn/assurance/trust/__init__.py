"""One trust status for each server: seven questions, and on what each answer rests."""
