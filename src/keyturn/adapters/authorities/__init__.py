"""The realms Keyturn can change passwords in, one package or module each."""
