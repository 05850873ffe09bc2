"""What must hold for every history, checked with histories that nobody thought of."""
