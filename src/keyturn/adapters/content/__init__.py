"""Content on disk: the site's own copies, and folders that packages are read from."""
