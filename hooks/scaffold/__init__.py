"""What turns a copy of the starter into somebody's own project."""
