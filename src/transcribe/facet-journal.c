#define G_LOG_DOMAIN "facet"

#include "facet-journal.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include <gio/gio.h>
#include <json-glib/json-glib.h>

#include <glib/gstdio.h>

/* More than hours of speech. */
#define MAX_FILE (16 << 20)
/* Of transcripts that nobody came back to. */
#define MAX_KEPT 50
#define MAX_AGE (30 * 24 * 3600) /* seconds */
#define SUFFIX ".journal"

typedef struct {
  char    *text; /* NULL: unknown */
  gboolean doubtful;
} Piece;

struct FacetJournal {
  char  *path;
  int    fd;
  Piece *known; /* [pieces] */
  guint  pieces;
};

char *
facet_journal_path (const char *sound, const char *key)
{
  g_autofree char *both = g_strconcat (sound, " ", key, NULL);
  g_autofree char *digest = g_compute_checksum_for_string (G_CHECKSUM_SHA256, both, -1);
  g_autofree char *name = g_strconcat (digest, SUFFIX, NULL);

  return g_build_filename (g_get_user_state_dir (), "facet", "transcripts", name, NULL);
}

/* The object as a line. */
static char *
finish_line (JsonBuilder *builder)
{
  g_autoptr (JsonNode) root = NULL;
  g_autofree char *json = NULL;

  json_builder_end_object (builder);
  root = json_builder_get_root (builder);
  json = json_to_string (root, FALSE);
  return g_strconcat (json, "\n", NULL);
}

static char *
make_head (const char *sound, const char *key, guint pieces)
{
  g_autoptr (JsonBuilder) builder = json_builder_new ();

  json_builder_begin_object (builder);
  json_builder_set_member_name (builder, "sound");
  json_builder_add_string_value (builder, sound);
  json_builder_set_member_name (builder, "key");
  json_builder_add_string_value (builder, key);
  json_builder_set_member_name (builder, "pieces");
  json_builder_add_int_value (builder, pieces);
  return finish_line (builder);
}

static char *
make_line (guint piece, const char *text, gboolean doubtful)
{
  g_autoptr (JsonBuilder) builder = json_builder_new ();

  json_builder_begin_object (builder);
  json_builder_set_member_name (builder, "piece");
  json_builder_add_int_value (builder, piece);
  json_builder_set_member_name (builder, "text");
  json_builder_add_string_value (builder, text);
  json_builder_set_member_name (builder, "doubtful");
  json_builder_add_boolean_value (builder, doubtful);
  return finish_line (builder);
}

static gboolean
read_piece (FacetJournal *journal, const char *line)
{
  g_autoptr (JsonParser) parser = json_parser_new ();
  JsonObject *object;
  gint64 piece;
  const char *text;

  if (!json_parser_load_from_data (parser, line, -1, NULL) || !JSON_NODE_HOLDS_OBJECT (json_parser_get_root (parser)))
    return FALSE;
  object = json_node_get_object (json_parser_get_root (parser));
  piece = json_object_get_int_member_with_default (object, "piece", -1);
  text = json_object_get_string_member_with_default (object, "text", NULL);
  if (piece < 0 || piece >= journal->pieces || text == NULL)
    return FALSE;
  g_free (journal->known[piece].text);
  journal->known[piece] = (Piece){ g_strdup (text), json_object_get_boolean_member_with_default (object, "doubtful", FALSE) };
  return TRUE;
}

/* Bytes of the file that are whole and belong to this work; 0: none. */
static gsize
read_back (FacetJournal *journal, const char *head)
{
  g_autofree char *all = NULL;
  gsize length, used = strlen (head);
  GStatBuf info;

  if (g_stat (journal->path, &info) != 0 || info.st_size > MAX_FILE || !g_file_get_contents (journal->path, &all, &length, NULL)
      || !g_str_has_prefix (all, head))
    return 0;
  while (used < length) {
    char *line = all + used, *end = memchr (line, '\n', length - used);

    if (end == NULL)
      break;
    *end = '\0';
    if (!read_piece (journal, line))
      break;
    used = (gsize) (end + 1 - all);
  }
  return used;
}

static void
set_errno (GError **error, const char *path)
{
  int code = errno;

  g_set_error (error, G_IO_ERROR, g_io_error_from_errno (code), "%s: %s", path, g_strerror (code));
}

static gboolean
write_line (FacetJournal *journal, const char *line, GError **error)
{
  gsize length = strlen (line);

  while (length > 0) {
    gssize n = write (journal->fd, line, length);

    if (n < 0 && errno == EINTR)
      continue;
    if (n < 0) {
      set_errno (error, journal->path);
      return FALSE;
    }
    line += n;
    length -= (gsize) n;
  }
  if (fdatasync (journal->fd) == 0)
    return TRUE;
  set_errno (error, journal->path);
  return FALSE;
}

/* ---- what is left of transcripts that were given up ---- */

typedef struct {
  char  *path;
  gint64 seconds;
} Left;

static void
left_clear (gpointer data)
{
  g_free (((Left *) data)->path);
}

static int
newest_first (gconstpointer a, gconstpointer b)
{
  gint64 x = ((const Left *) a)->seconds, y = ((const Left *) b)->seconds;

  return (x < y) - (x > y);
}

/* Removes the old ones and the oldest of too many, but not @own. */
static void
tidy_up (const char *folder, const char *own)
{
  g_autoptr (GArray) left = g_array_new (FALSE, FALSE, sizeof (Left));
  g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
  gint64 oldest = g_get_real_time () / G_USEC_PER_SEC - MAX_AGE;
  const char *name;

  g_array_set_clear_func (left, left_clear);
  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL) {
    g_autofree char *path = g_build_filename (folder, name, NULL);
    GStatBuf info;

    if (g_str_has_suffix (name, SUFFIX) && !g_str_equal (path, own) && g_lstat (path, &info) == 0 && S_ISREG (info.st_mode)) {
      Left one = { g_steal_pointer (&path), info.st_mtime };

      g_array_append_val (left, one);
    }
  }
  g_array_sort (left, newest_first);
  for (guint i = 0; i < left->len; i++)
    if (i >= MAX_KEPT - 1 || g_array_index (left, Left, i).seconds < oldest)
      facet_journal_forget (g_array_index (left, Left, i).path);
}

FacetJournal *
facet_journal_open (const char *path, const char *sound, const char *key, guint pieces, GError **error)
{
  g_autoptr (FacetJournal) journal = g_new0 (FacetJournal, 1);
  g_autofree char *folder = g_path_get_dirname (path), *head = make_head (sound, key, pieces);
  gsize used;

  journal->path = g_strdup (path);
  journal->known = g_new0 (Piece, pieces);
  journal->pieces = pieces;
  journal->fd = -1;
  if (g_mkdir_with_parents (folder, 0700) != 0) {
    set_errno (error, folder);
    return NULL;
  }
  tidy_up (folder, path);
  used = read_back (journal, head);
  journal->fd = g_open (path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (journal->fd < 0 || ftruncate (journal->fd, (off_t) used) != 0) {
    set_errno (error, path);
    return NULL;
  }
  if (used == 0 && !write_line (journal, head, error))
    return NULL;
  return g_steal_pointer (&journal);
}

void
facet_journal_close (FacetJournal *journal)
{
  if (journal->fd >= 0)
    close (journal->fd);
  for (guint i = 0; i < journal->pieces; i++)
    g_free (journal->known[i].text);
  g_free (journal->known);
  g_free (journal->path);
  g_free (journal);
}

const char *
facet_journal_get (FacetJournal *journal, guint piece, gboolean *doubtful)
{
  g_assert (piece < journal->pieces);
  *doubtful = journal->known[piece].doubtful;
  return journal->known[piece].text;
}

gboolean
facet_journal_add (FacetJournal *journal, guint piece, const char *text, gboolean doubtful, GError **error)
{
  g_autofree char *line = make_line (piece, text, doubtful);

  return write_line (journal, line, error);
}

void
facet_journal_forget (const char *path)
{
  if (g_unlink (path) != 0 && errno != ENOENT)
    g_message ("%s: %s", path, g_strerror (errno));
}
