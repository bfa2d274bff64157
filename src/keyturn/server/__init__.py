"""The site's server: the API for people, the agents' routes, the access point and the worker."""
