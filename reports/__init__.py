"""Shows and sends: the digest, the landscape, the site, tables and feeds, mail and alerts."""
