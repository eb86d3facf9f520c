#include "process.h"

#include <signal.h>
#include <string.h>

int
process_read_id (const char *path)
{
  g_autofree char *text = NULL;

  if (!g_file_get_contents (path, &text, NULL, NULL) || strchr (text, '\n') == NULL)
    return 0;
  return (int) g_ascii_strtoll (text, NULL, 10);
}

gboolean
process_goes_on (int id)
{
  g_autofree char *path = g_strdup_printf ("/proc/%d/stat", id), *text = NULL;
  const char *name_end;

  if (kill (id, 0) != 0)
    return FALSE;
  if (!g_file_get_contents (path, &text, NULL, NULL))
    return FALSE;
  name_end = strrchr (text, ')');
  return name_end != NULL && strlen (name_end) > 2 && name_end[2] != 'Z';
}

void
process_wait_end (int id)
{
  gint64 end = g_get_monotonic_time () + 5 * G_USEC_PER_SEC;

  g_assert_cmpint (id, >, 1);
  while (process_goes_on (id)) {
    g_assert_cmpint (g_get_monotonic_time (), <, end);
    g_usleep (10000);
  }
}
