"""What every cloud target needs: its base stack, its machines, and the stores that it runs."""
