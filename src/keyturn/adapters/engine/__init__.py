"""Who carries plans forward: threads beside the server, or workers on many machines. They only say when to look; what
makes a plan go on after any crash is its journal, and what keeps two from one plan is its lease."""
