"""The delivered account: orders and their covered intervals, balances, positions, payments.

It knows neither links nor sums of money.
"""
