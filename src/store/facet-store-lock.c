#define G_LOG_DOMAIN "facet-store"

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gi18n-lib.h>
#include <glib/gstdio.h>
#include <sys/file.h>
#include <unistd.h>

#include "facet-store-private.h"

/* Where the file cannot be made the database cannot be either, and opening
 * that says why; some network folders know no such locks. */
gboolean
facet_store_lock (const char *directory, int *lock, GError **error)
{
  g_autofree char *path = g_build_filename (directory, "chats.lock", NULL);
  gboolean in_use;

  g_mkdir_with_parents (directory, 0700);
  *lock = g_open (path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (*lock < 0 || flock (*lock, LOCK_EX | LOCK_NB) == 0)
    return TRUE;
  in_use = errno == EWOULDBLOCK;
  if (!in_use)
    g_message ("%s: %s", path, g_strerror (errno));
  close (*lock);
  *lock = -1;
  if (in_use)
    g_set_error_literal (error, FACET_STORE_ERROR, FACET_STORE_ERROR_BUSY,
                         _("Facet is open already, with your chats. Go on in its window, or close that one and try again."));
  return !in_use;
}

void
facet_store_unlock (int *lock)
{
  if (*lock >= 0)
    close (*lock);
  *lock = -1;
}
