#include "core/memory.h"

#include <string.h>
#include <unistd.h>

#include "facet.h"

static guint64
machine_available (void)
{
  g_autofree char *info = NULL;
  const char *line;
  long pages, page_bytes;

  if (g_file_get_contents ("/proc/meminfo", &info, NULL, NULL)) {
    line = strstr (info, "MemAvailable:");
    if (line)
      return g_ascii_strtoull (line + strlen ("MemAvailable:"), NULL, 10) * 1024;
  }
  pages = sysconf (_SC_AVPHYS_PAGES);
  page_bytes = sysconf (_SC_PAGESIZE);
  return pages > 0 && page_bytes > 0 ? (guint64) pages * page_bytes : G_MAXUINT64;
}

guint64
facet_memory_available (void)
{
  const char *limit = g_getenv ("FACET_MEMORY_MIB");
  guint64 available = machine_available ();

  return limit != NULL ? MIN (available, g_ascii_strtoull (limit, NULL, 10) << 20) : available;
}

gboolean
facet_memory_check (guint64 need, GError **error, const char *what, ...)
{
  guint64 have = facet_memory_available ();
  g_autofree char *subject = NULL;
  va_list args;

  if (need <= have / 10 * 9)
    return TRUE;
  va_start (args, what);
  subject = g_strdup_vprintf (what, args);
  va_end (args);
  g_set_error (error, FACET_ERROR, FACET_ERROR_NO_MEMORY, "%s needs %" G_GUINT64_FORMAT " MiB, %" G_GUINT64_FORMAT " MiB are free",
               subject, need >> 20, have >> 20);
  return FALSE;
}
