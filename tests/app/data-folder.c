#include "data-folder.h"

#include <glib/gstdio.h>

char *
data_folder_begin (void)
{
  char *path = g_dir_make_tmp ("facet-data-XXXXXX", NULL);

  g_assert_nonnull (path);
  g_setenv ("XDG_DATA_HOME", path, TRUE);
  return path;
}

static void
remove_tree (const char *path)
{
  GDir *dir = g_dir_open (path, 0, NULL);
  const char *name;

  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL) {
    g_autofree char *child = g_build_filename (path, name, NULL);

    remove_tree (child);
  }
  g_clear_pointer (&dir, g_dir_close);
  g_remove (path);
}

int
data_folder_end (char *path, int status)
{
  remove_tree (path);
  g_free (path);
  return status;
}
