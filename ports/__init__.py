"""The driver's needs from outside, as small Protocols. Imports core, nothing else."""
