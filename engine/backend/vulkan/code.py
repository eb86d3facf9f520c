#!/usr/bin/env python3
"""Writes a C header with a digest of source files.

Usage: code.py FILE.h SOURCE...
"""
import hashlib
import sys

digest = hashlib.sha256()
for name in sys.argv[2:]:
    with open(name, "rb") as file:
        digest.update(file.read())
with open(sys.argv[1], "w", encoding="ascii") as file:
    file.write(f'#pragma once\n\n#define FACET_VK_CODE "{digest.hexdigest()}"\n')
