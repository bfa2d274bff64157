"""`python -m keyturn`."""

from keyturn.wiring import main

main()
