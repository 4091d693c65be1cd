"""Exchange: zoos from elsewhere and for others. They are downloaded, published, imported, exported.

Every byte from outside is checked before it counts. Only the command line imports from here.
"""
