"""Other machines: what this side asks of workers and does with what they send. The modules `*there` are what runs on them."""
