"""Programs on Linux: who they run as, what they see, and which shares they reach."""
