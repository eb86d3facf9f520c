/* inflate.h - files that lie compressed in the tree */
#pragma once

#include <glib.h>

/* Returns: (transfer full): path of a temporary file with the content of the
 * gzip file @path; whoever asked deletes it. */
char *inflate_to_temporary (const char *path);
