"""The command line: one module or folder per group of ``holdfast`` subcommands."""
