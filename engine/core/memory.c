#include "core/memory.h"

#include <string.h>
#include <unistd.h>

guint64
facet_memory_available (void)
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
