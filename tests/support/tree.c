#include "tree.h"

#include <glib.h>
#include <glib/gstdio.h>

void
tree_remove (const char *path)
{
  GDir *dir = g_dir_open (path, 0, NULL);
  const char *name;

  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL) {
    g_autofree char *child = g_build_filename (path, name, NULL);

    tree_remove (child);
  }
  g_clear_pointer (&dir, g_dir_close);
  g_remove (path);
}
