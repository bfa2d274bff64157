"""The ways to other sites' servers."""
