/* tree.h - folders that a test made */
#pragma once

/* Removes @path with everything below it; nothing if it is not there. */
void tree_remove (const char *path);
