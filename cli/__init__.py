"""The command line: `roadstead ...`, the outermost layer."""
