/* memory.h - what this machine can still give
 *
 * Thread-safety: safe.
 */
#pragma once

#include <glib.h>

/* Bytes that can be taken without swapping (MemAvailable, or the free pages
 * where the kernel does not say); G_MAXUINT64 if unknown. No more than
 * FACET_MEMORY_MIB of the environment, where that is set. */
guint64 facet_memory_available (void);

/* Whether @need bytes of what the machine has left may be taken, others
 * needing memory, too; else NO_MEMORY: "WHAT needs ... MiB, ... are free". */
gboolean facet_memory_check (guint64 need, GError **error, const char *what, ...) G_GNUC_PRINTF (3, 4);
