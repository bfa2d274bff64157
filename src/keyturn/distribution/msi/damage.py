"""What a file shows that is no readable package."""


class Damaged(Exception):
    """Says what is wrong in the words of the format; who knows the file's name tells it to people."""
