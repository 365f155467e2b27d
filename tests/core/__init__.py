"""The core: scripts of whole lives on virtual time, and tables."""
