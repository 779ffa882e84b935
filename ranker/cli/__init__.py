"""The command line: one file per command, parsing and printing only; TensorFlow is loaded when a command runs."""
