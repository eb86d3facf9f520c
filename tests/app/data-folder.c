#include "data-folder.h"

#include "tree.h"

char *
data_folder_begin (void)
{
  char *path = g_dir_make_tmp ("facet-data-XXXXXX", NULL);

  g_assert_nonnull (path);
  g_setenv ("XDG_DATA_HOME", path, TRUE);
  return path;
}

int
data_folder_end (char *path, int status)
{
  tree_remove (path);
  g_free (path);
  return status;
}
