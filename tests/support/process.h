/* process.h - whether a process that a test started goes on */
#pragma once

#include <glib.h>

/* The number that @path holds, once it is written whole; 0: not yet. */
int      process_read_id   (const char *path);

/* A process that ended and that nobody has asked about has ended. */
gboolean process_goes_on   (int id);

/* Waits some seconds for its end. */
void     process_wait_end  (int id);
