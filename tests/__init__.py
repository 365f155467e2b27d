"""The tests mirror the folders that they test; those of the whole stand beside them."""
