"""Published pickles as data: read without importing or calling anything that they name."""
