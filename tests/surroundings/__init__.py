"""Users and their journals: streams of real drivers on real files, over accounts in memory."""
