"""The command line: one thin function per command, its options, and the terminal."""
