"""Other people's clients against `listenkey simulate`: what they say of the account, next to what is true of it.

Needs the extra `bench`. A client has a file of its own, and only that file touches it.
"""
