"""Executors carry out the requests of a venue's services. They open no connection, keep no pace, and know no venue."""
