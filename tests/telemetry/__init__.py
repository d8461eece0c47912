"""What the package counts of itself."""
