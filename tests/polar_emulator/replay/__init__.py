"""The steps of the recordings again, in the order in which they were taken, by theme."""
