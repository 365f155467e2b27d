"""Other people's clients on `listenkey simulate`: their view of the account is compared with the truth.

Needs the extra `bench`. Each client has a file of its own, and is used only there.
"""
