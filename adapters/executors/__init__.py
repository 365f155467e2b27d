"""Executors carry out what a venue's services ask for. They open no connection, keep no pace, and know no venue."""
