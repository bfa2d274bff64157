"""What directories write down about logons, and machines hold in their configuration, read as evidence of who really
uses an account."""
