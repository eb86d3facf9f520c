/* memory.h - what this machine can still give
 *
 * Thread-safety: safe.
 */
#pragma once

#include <glib.h>

/* Bytes that can be taken without swapping (MemAvailable, or the free pages
 * where the kernel does not say); G_MAXUINT64 if unknown. */
guint64 facet_memory_available (void);
