"""The application package. Its name never changes, so no import is ever rewritten."""
