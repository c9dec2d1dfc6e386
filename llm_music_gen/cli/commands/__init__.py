"""The commands, one file each: `add_options(parser)` describes it, `run(arguments)` carries it out."""
