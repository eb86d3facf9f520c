/* Files that change while they are mapped: no read ends the program, what was
 * made of zeros is thrown away, and foreign bus errors are none of ours. */
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <glib/gstdio.h>

#include "facet.h"
#include "gguf/map.h"
#include "kit-pictures.h"
#include "tree.h"

#define PAGES 64

typedef struct {
  char *folder, *path;
  gsize page;
} Fixture;

/* Written long ago, so that the clock's steps hide no change. */
static void
set_time (const char *path)
{
  const struct timespec times[2] = { { .tv_sec = 1000000000 }, { .tv_sec = 1000000000 } };

  g_assert_cmpint (utimensat (AT_FDCWD, path, times, 0), ==, 0);
}

static void
set_up (Fixture *self, gconstpointer data)
{
  g_autofree char *text = NULL;

  self->page = (gsize) sysconf (_SC_PAGESIZE);
  self->folder = g_dir_make_tmp ("facet-map-XXXXXX", NULL);
  self->path = g_build_filename (self->folder, "file", NULL);
  text = g_malloc (PAGES * self->page);
  memset (text, 'x', PAGES * self->page);
  g_assert_true (g_file_set_contents (self->path, text, (gssize) (PAGES * self->page), NULL));
  set_time (self->path);
}

static void
tear_down (Fixture *self, gconstpointer data)
{
  tree_remove (self->folder);
  g_free (self->folder);
  g_free (self->path);
}

static FacetMap *
open_map (const char *path)
{
  g_autoptr (GError) error = NULL;
  FacetMap *map = facet_map_open (path, &error);

  g_assert_no_error (error);
  return map;
}

static char
read_page (FacetMap *map, gsize page, gsize index)
{
  return ((volatile const char *) facet_map_data (map))[index * page + 7];
}

static void
cut (const char *path, gsize bytes)
{
  g_assert_cmpint (truncate (path, (off_t) bytes), ==, 0);
}

static void
test_whole (Fixture *self, gconstpointer data)
{
  g_autoptr (FacetMap) map = open_map (self->path);

  g_assert_cmpuint (facet_map_size (map), ==, PAGES * self->page);
  for (gsize i = 0; i < PAGES; i++)
    g_assert_cmpint (read_page (map, self->page, i), ==, 'x');
  g_assert_true (facet_map_is_intact (map));
}

/* The mark stays when the file looks again as it did. */
static void
test_torn (Fixture *self, gconstpointer data)
{
  g_autoptr (FacetMap) map = open_map (self->path), other = open_map (self->path);

  cut (self->path, 2 * self->page);
  g_assert_cmpint (read_page (map, self->page, 1), ==, 'x');
  g_assert_cmpint (read_page (map, self->page, 40), ==, 0);
  g_assert_cmpint (read_page (map, self->page, 20), ==, 0);
  g_assert_cmpint (read_page (map, self->page, PAGES - 1), ==, 0);
  cut (self->path, PAGES * self->page);
  set_time (self->path);
  g_assert_false (facet_map_is_intact (map));
  g_assert_true (facet_map_is_intact (other));
  g_assert_cmpint (read_page (other, self->page, 1), ==, 'x');
}

static gpointer
read_backwards (gpointer data)
{
  FacetMap *map = data;
  gsize page = (gsize) sysconf (_SC_PAGESIZE);
  guint zeros = 0;

  for (gsize i = PAGES; i-- > 0;)
    zeros += read_page (map, page, i) == 0;
  return GUINT_TO_POINTER (zeros);
}

static void
test_threads (Fixture *self, gconstpointer data)
{
  g_autoptr (FacetMap) map = open_map (self->path);
  GThread *threads[4];

  cut (self->path, self->page);
  for (gsize i = 0; i < G_N_ELEMENTS (threads); i++)
    threads[i] = g_thread_new ("reader", read_backwards, map);
  for (gsize i = 0; i < G_N_ELEMENTS (threads); i++)
    g_assert_cmpuint (GPOINTER_TO_UINT (g_thread_join (threads[i])), ==, PAGES - 1);
  g_assert_false (facet_map_is_intact (map));
}

static void
test_written_over (Fixture *self, gconstpointer data)
{
  g_autoptr (FacetMap) map = open_map (self->path);
  int file = open (self->path, O_WRONLY);

  g_assert_cmpint (pwrite (file, "y", 1, 9), ==, 1);
  close (file);
  g_assert_false (facet_map_is_intact (map));
}

static void
test_replaced (Fixture *self, gconstpointer data)
{
  g_autoptr (FacetMap) map = open_map (self->path);

  g_assert_true (g_file_set_contents (self->path, "new", -1, NULL));
  g_assert_cmpint (read_page (map, self->page, 5), ==, 'x');
  g_assert_true (facet_map_is_intact (map));
  g_unlink (self->path);
  g_assert_true (facet_map_is_intact (map));
}

static void
test_refused (Fixture *self, gconstpointer data)
{
  g_autofree char *absent = g_build_filename (self->folder, "absent", NULL), *pipe = g_build_filename (self->folder, "pipe", NULL);
  const char *paths[] = { self->folder, absent, pipe };

  g_assert_cmpint (mkfifo (pipe, 0600), ==, 0);
  for (gsize i = 0; i < G_N_ELEMENTS (paths); i++) {
    g_autoptr (GError) error = NULL;

    g_assert_null (facet_map_open (paths[i], &error));
    g_assert_error (error, FACET_ERROR, FACET_ERROR_IO);
    g_assert_true (g_str_has_prefix (error->message, paths[i]));
  }
}

/* ---- bus errors of others, each in a process that ends by them ---- */

static volatile const char *foreign;

static void
tear_foreign (Fixture *self)
{
  int file = open (self->path, O_RDONLY);

  foreign = mmap (NULL, PAGES * self->page, PROT_READ, MAP_PRIVATE, file, 0);
  cut (self->path, self->page);
}

static void
end_well (int number, siginfo_t *info, void *context)
{
  _exit (info->si_addr == (void *) &foreign[8 * sysconf (_SC_PAGESIZE)] ? 0 : 2);
}

static void
test_foreign (Fixture *self, gconstpointer data)
{
  struct sigaction action = { .sa_sigaction = end_well, .sa_flags = SA_SIGINFO };

  if (g_test_subprocess ()) {
    g_autoptr (FacetMap) map = NULL;

    sigaction (SIGBUS, &action, NULL);
    map = open_map (self->path);
    tear_foreign (self);
    _exit (foreign[8 * self->page] == 0 ? 3 : 4);
  }
  g_test_trap_subprocess (NULL, 0, G_TEST_SUBPROCESS_DEFAULT);
  g_test_trap_assert_passed ();
}

/* @data: not NULL if another process sends the signal. */
static void
test_default (Fixture *self, gconstpointer data)
{
  if (g_test_subprocess ()) {
    g_autoptr (FacetMap) map = NULL;

    signal (SIGBUS, SIG_DFL);
    map = open_map (self->path);
    tear_foreign (self);
    if (data != NULL)
      kill (getpid (), SIGBUS);
    else
      (void) foreign[8 * self->page];
    _exit (0);
  }
  g_test_trap_subprocess (NULL, 0, G_TEST_SUBPROCESS_DEFAULT);
  g_test_trap_assert_failed ();
}

/* ---- models ---- */

typedef struct {
  const char *path; /* what is cut after the first word */
  GString    *text;
} Cutter;

static void
cut_cb (const char *text, gsize length, gpointer data)
{
  Cutter *cutter = data;

  g_string_append_len (cutter->text, text, (gssize) length);
  cut (cutter->path, 4096);
}

static char *
copy_of (Fixture *self, const char *name)
{
  g_autofree char *from = g_build_filename (g_getenv ("FACET_TEST_DATA"), "kit/models/gemma3-tiny", name, NULL), *bytes = NULL;
  char *to = g_build_filename (self->folder, name, NULL);
  gsize length;

  g_assert_true (g_file_get_contents (from, &bytes, &length, NULL));
  g_assert_true (g_file_set_contents (to, bytes, (gssize) length, NULL));
  return to;
}

static gboolean
ask (FacetSession *session, FacetImage *image, Cutter *cutter, GError **error)
{
  g_autoptr (FacetPrompt) prompt = facet_prompt_new (FACET_TEMPLATE_FAMILY);
  FacetReplyParams params = { .max_tokens = 12, .endless = TRUE, .on_text = cutter ? cut_cb : NULL, .user_data = cutter };
  g_auto (FacetReply) reply = { 0 };

  facet_prompt_begin_turn (prompt, FACET_ROLE_USER);
  facet_prompt_add_text (prompt, "Tell me something.", -1);
  if (image != NULL)
    facet_prompt_add_image (prompt, image);
  return facet_session_reply (session, prompt, &params, &reply, error);
}

static void
assert_changed (GError *error, const char *path)
{
  g_assert_error (error, FACET_ERROR, FACET_ERROR_CHANGED);
  g_assert_true (g_str_has_prefix (error->message, path));
}

/* What came before the cut was said; nothing that was computed after it is. */
static void
test_answer (Fixture *self, gconstpointer name)
{
  g_autofree char *path = copy_of (self, name);
  g_autoptr (GError) error = NULL, again = NULL;
  g_autoptr (FacetModel) model = facet_model_load (path, NULL, &error);
  g_autoptr (FacetSession) session = facet_session_new (model, &(FacetSessionParams) { .context = 128 }, &error);
  g_autoptr (GString) text = g_string_new (NULL);
  Cutter cutter = { path, text };

  g_assert_no_error (error);
  g_assert_true (ask (session, NULL, NULL, &error));
  g_assert_false (ask (session, NULL, &cutter, &error));
  assert_changed (error, path);
  g_assert_cmpuint (text->len, >, 0);
  g_assert_false (ask (session, NULL, NULL, &again));
  assert_changed (again, path);
}

static void
test_projector (Fixture *self, gconstpointer data)
{
  g_autofree char *path = copy_of (self, "text-f32.gguf"), *projector = copy_of (self, "mmproj.gguf");
  g_autoptr (GError) error = NULL;
  g_autoptr (FacetModel) model = facet_model_load (path, &(FacetModelParams) { .projector = projector }, &error);
  g_autoptr (FacetSession) session = facet_session_new (model, NULL, &error);
  g_autoptr (FacetImage) image = kit_picture ("photo.png");

  g_assert_no_error (error);
  cut (projector, 4096);
  g_assert_false (ask (session, image, NULL, &error));
  assert_changed (error, projector);
  g_clear_error (&error);
  g_assert_true (ask (session, NULL, NULL, &error));
  g_assert_no_error (error);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define ADD(name, data, func) g_test_add ("/map/" name, Fixture, data, set_up, func, tear_down)
  ADD ("whole", NULL, test_whole);
  ADD ("torn", NULL, test_torn);
  ADD ("threads", NULL, test_threads);
  ADD ("written-over", NULL, test_written_over);
  ADD ("replaced", NULL, test_replaced);
  ADD ("refused", NULL, test_refused);
  ADD ("foreign", NULL, test_foreign);
  ADD ("default", NULL, test_default);
  ADD ("sent", "sent", test_default);
  ADD ("answer", "text-f32.gguf", test_answer);
  ADD ("answer-quantised", "text-q4_k.gguf", test_answer);
  ADD ("projector", NULL, test_projector);
  return g_test_run ();
}
