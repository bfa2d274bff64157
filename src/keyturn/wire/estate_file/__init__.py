"""The estate file: TOML that people write and edit, read into an `Estate` with every error named by its line."""
