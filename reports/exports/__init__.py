"""What is taken away to be read elsewhere: tables and feeds, and what narrows them."""
