"""Who on this machine uses an account besides the agent: each is given a new password, and shows that it works with it,
before the agent proves it to the site."""
