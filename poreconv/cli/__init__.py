"""The command line: one thin function per command, its options, the terminal."""
