"""A proven link is kept alive: keys, sockets, rotation and waiting, run by one table. Knows nothing of the account."""
