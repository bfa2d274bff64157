"""Windows Installer packages: what their tables say, and where each would end under whom."""
