"""The agent installed on other machines over SSH, and removed from them."""
