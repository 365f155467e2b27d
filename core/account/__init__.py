"""What has been delivered of the account: orders and their covered ground, balances, positions, payments.

Knows neither links nor money in sum.
"""
