"""What runs programs on this machine under an identity."""
