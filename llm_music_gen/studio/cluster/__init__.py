"""Other machines: what this side asks of a worker and does with what comes back; what runs there stands in the modules `*there`."""
