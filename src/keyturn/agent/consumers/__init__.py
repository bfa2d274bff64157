"""Who uses an account besides the agent, on this machine or over SSH on another: each is given a new password, and
shows that it works with it, before the agent proves it to the site."""
