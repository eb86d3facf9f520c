/* The window while a graphics device is got to know: its driver's self-test builds
 * dozens of programs, here on a software device with an empty cache. */
#include "facet-machine.h"
#include "tree.h"
#include "ui-fixture.h"

typedef struct {
  int    n;     /* shares between nothing and all that were told */
  double last;
} Seen;

static Seen seen;

static void
load_progress_cb (FacetEngineService *service, double share)
{
  if (share <= 0 || share >= 1)
    return;
  g_assert_cmpfloat (share, >, seen.last);
  seen.last = share;
  seen.n++;
}

static gboolean
has_seen_some (Fixture *self)
{
  return seen.n >= 5;
}

/* Whether anything is remembered of kernels for weights of the model's type. */
static gboolean
has_verdict (void)
{
  g_autofree char *folder = g_build_filename (g_get_user_cache_dir (), "facet", "vulkan", NULL);
  g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
  const char *name;

  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL) {
    g_autofree char *path = g_build_filename (folder, name, NULL);
    g_autoptr (GKeyFile) file = g_key_file_new ();

    if (g_str_has_suffix (name, ".verdict") && g_key_file_load_from_file (file, path, G_KEY_FILE_NONE, NULL)
        && g_key_file_has_key (file, "scalar", "Q4_0", NULL))
      return TRUE;
  }
  return FALSE;
}

/* The main loop runs on, the bar moves, and another choice is heard at once: the
 * test is given up, of which nothing is remembered. */
static void
test_first_start (Fixture *self, gconstpointer path)
{
  g_autoptr (GPtrArray) devices = facet_machine_graphics ();
  FacetLoadSpec spec = { .path = (char *) path, .backend = FACET_BACKEND_VULKAN };

  if (devices->len == 0) {
    g_test_skip ("there is no graphics device, not even a software one");
    return;
  }
  spec.device = ((FacetGraphicsDevice *) devices->pdata[0])->id;
  g_signal_connect (self->service, "load-progress", G_CALLBACK (load_progress_cb), NULL);
  facet_engine_service_load (self->service, &spec);
  fixture_wait (has_seen_some, self);
  g_assert_cmpint (facet_engine_service_get_state (self->service), ==, FACET_ENGINE_LOADING);
  g_assert_false (has_verdict ());
  g_assert_true (gtk_revealer_get_reveal_child (self->window->loading));
  g_assert_cmpstr (gtk_label_get_text (self->window->loading_label), ==, "Loading the model…");
  g_assert_cmpfloat (gtk_progress_bar_get_fraction (self->window->loading_bar), ==, seen.last);

  spec = (FacetLoadSpec) { .path = (char *) path, .backend = FACET_BACKEND_CPU };
  g_signal_handlers_disconnect_by_func (self->service, load_progress_cb, NULL);
  facet_engine_service_load (self->service, &spec);
  fixture_wait (fixture_idle, self);
  g_assert_true (g_str_has_prefix (facet_engine_service_get_loaded (self->service)->backend, "cpu"));
  g_assert_false (has_verdict ());
  g_assert_false (gtk_revealer_get_reveal_child (self->window->loading));
}

int
main (int argc, char **argv)
{
  g_autofree char *cache = g_dir_make_tmp ("facet-cache-XXXXXX", NULL);
  g_autofree char *model = g_build_filename (g_getenv ("FACET_TEST_DATA"), "kit", "models", "gemma3-tiny", "text-q4_0.gguf", NULL);
  int status = 0;

  g_setenv ("XDG_CACHE_HOME", cache, TRUE);
  if (fixture_start (&argc, &argv)) {
    g_test_add ("/device/first-start", Fixture, model, fixture_set_up, test_first_start, fixture_tear_down);
    status = g_test_run ();
  }
  tree_remove (cache);
  return status;
}
