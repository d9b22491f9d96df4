"""Evidence to take away: one finding as a WACZ package that opens in a web-archive player and is checked anywhere.

WACZ 1.1.1 (specs.webrecorder.net/wacz/1.1.1): a zip with the WARC records, their index, the pages and a data package.
"""
