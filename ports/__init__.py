"""What the driver needs from outside, as small Protocols. Imports core, nothing else."""
