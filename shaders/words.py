#!/usr/bin/env python3
"""Writes a SPIR-V file as the words of a C array.

Usage: words.py FILE.spv FILE.inc
"""
import array
import sys

words = array.array("I")
with open(sys.argv[1], "rb") as file:
    words.frombytes(file.read())
if words[0] == 0x03022307:
    words.byteswap()
if words[0] != 0x07230203:
    sys.exit(f"{sys.argv[1]} is no SPIR-V")
with open(sys.argv[2], "w", encoding="ascii") as file:
    for at in range(0, len(words), 12):
        file.write("".join(f"{word:#010x}," for word in words[at:at + 12]) + "\n")
