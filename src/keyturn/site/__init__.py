"""The site: its control file, components, inboxes, access points and hierarchy, decided without touching them."""
