"""The inputs and actions of a connection in a file, and their replay."""
