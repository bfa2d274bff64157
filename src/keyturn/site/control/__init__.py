"""The site control file: the document, the deltas that change it, and its text form."""
