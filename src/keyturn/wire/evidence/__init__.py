"""What directories write down about logons, read as evidence of who really uses an account."""
