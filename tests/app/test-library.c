/* The models on this machine, and the catalogue. */
#include <glib/gstdio.h>
#include <string.h>

#include "data-folder.h"
#include "facet-catalog.h"
#include "facet-machine.h"
#include "facet-model-library.h"
#include "facet-settings.h"

static void
copy_from (const char *source, const char *name, const char *folder, const char *as)
{
  g_autofree char *from = g_build_filename (g_getenv ("FACET_TEST_DATA"), source, name, NULL);
  g_autofree char *to = g_build_filename (folder, as, NULL);
  g_autofree char *bytes = NULL;
  gsize length;

  g_mkdir_with_parents (folder, 0700);
  g_assert_true (g_file_get_contents (from, &bytes, &length, NULL));
  g_assert_true (g_file_set_contents (to, bytes, length, NULL));
}

static void
copy (const char *name, const char *folder, const char *as)
{
  copy_from ("kit/models/gemma3-tiny", name, folder, as);
}

static void
wait_for (FacetModelLibrary *library)
{
  while (facet_model_library_is_scanning (library))
    g_main_context_iteration (NULL, TRUE);
}

static FacetLocalModel *
find (FacetModelLibrary *library, const char *folder, const char *name)
{
  g_autofree char *path = g_build_filename (folder, name, NULL);

  return facet_model_library_find (library, path);
}

/* What the page says a model needs is what the engine plans for it, at the
 * context of the settings and with its projector. */
static void
check_memory (FacetLocalModel *model, GSettings *settings)
{
  const FacetMemoryPlan *memory = facet_local_model_get_memory (model);
  FacetMemoryPlan plan;

  g_assert_nonnull (memory);
  g_assert_true (facet_plan_memory (facet_local_model_get_path (model), facet_local_model_get_projector (model),
                                    g_settings_get_int (settings, "context-length"),
                                    facet_settings_get_kv_type (settings), &plan, NULL));
  g_assert_cmpuint (memory->total, ==, plan.total);
  g_assert_cmpuint (memory->kv_cache, >, 0);
  g_assert_cmpuint (memory->weights, >, facet_local_model_get_info (model)->file_bytes / 2);
  g_assert_cmpuint (memory->available, >, 0);
}

static void
test_scan (void)
{
  g_autofree char *own = facet_model_library_directory ();
  g_autofree char *deep = g_build_filename (own, "a", "b", NULL);
  g_autofree char *bad = g_build_filename (own, "bad.gguf", NULL);
  g_autofree char *description = NULL;
  GSettings *settings = facet_settings_get_default ();
  g_autoptr (FacetModelLibrary) library = NULL;
  FacetLocalModel *model;
  guint64 needed;

  copy ("text-q8_0.gguf", own, "one.gguf");
  copy ("text-q4_k.gguf", deep, "two.GGUF");
  copy ("mmproj.gguf", own, "eyes.gguf");
  g_assert_true (g_file_set_contents (bad, "no model", 8, NULL));
  library = facet_model_library_new (settings);
  g_assert_true (facet_model_library_is_scanning (library));
  wait_for (library);
  g_assert_cmpuint (g_list_model_get_n_items (G_LIST_MODEL (library)), ==, 3);
  model = find (library, own, "one.gguf");
  g_assert_cmpint (facet_local_model_get_senses (model), ==, FACET_SENSE_TEXT | FACET_SENSE_IMAGES);
  g_assert_true (g_str_has_suffix (facet_local_model_get_projector (model), "/eyes.gguf"));
  description = facet_local_model_describe (model);
  g_assert_true (g_str_has_prefix (description, "Gemma 3 · "));
  g_assert_nonnull (strstr (description, "Q8_0"));
  g_assert_nonnull (find (library, deep, "two.GGUF"));
  check_memory (model, settings);
  needed = facet_local_model_get_memory (model)->total;
  g_settings_set_int (settings, "context-length", 131072); /* more than the 4096 that it has */
  wait_for (library);
  g_assert_cmpuint (facet_local_model_get_memory (find (library, own, "one.gguf"))->total, ==, needed);
  g_settings_reset (settings, "context-length");
  wait_for (library);
  model = find (library, own, "bad.gguf");
  g_assert_nonnull (facet_local_model_get_problem (model));
  g_assert_null (facet_local_model_get_info (model));
}

/* In place of @old, as long. */
static void
patch (const char *folder, const char *name, const char *old, const char *new)
{
  g_autofree char *path = g_build_filename (folder, name, NULL);
  g_autofree char *bytes = NULL;
  gsize length;
  char *at;

  g_assert_true (g_file_get_contents (path, &bytes, &length, NULL));
  at = memmem (bytes, length, old, strlen (old));
  g_assert_nonnull (at);
  g_assert_cmpuint (strlen (old), ==, strlen (new));
  memcpy (at, new, strlen (new));
  g_assert_true (g_file_set_contents (path, bytes, (gssize) length, NULL));
}

/* The file that the library takes by itself, once it has looked again. */
static const char *
automatic (FacetModelLibrary *library)
{
  FacetLocalModel *model;

  wait_for (library);
  model = facet_model_library_get_automatic (library);
  return model ? facet_local_model_get_info (model)->quantization : NULL;
}

/* Of one model the file that suits the precision, of others of its build the larger one. */
static void
test_precision (void)
{
  g_autofree char *own = facet_model_library_directory ();
  g_autofree char *q4_0 = g_build_filename (own, "three.gguf", NULL), *other = g_build_filename (own, "other.gguf", NULL);
  GSettings *settings = facet_settings_get_default ();
  g_autoptr (FacetModelLibrary) library = facet_model_library_new (settings);

  g_assert_null (facet_model_library_get_automatic (library)); /* not known yet */
  g_assert_cmpstr (automatic (library), ==, "Q4_K_M"); /* balanced */
  g_settings_set_enum (settings, "precision", FACET_PRECISION_BEST);
  g_assert_cmpstr (automatic (library), ==, "Q8_0");
  g_settings_set_enum (settings, "precision", FACET_PRECISION_SMALLEST);
  g_assert_cmpstr (automatic (library), ==, "Q4_K_M"); /* the nearest there is */
  copy ("text-q4_0.gguf", own, "three.gguf");
  facet_model_library_scan (library);
  g_assert_cmpstr (automatic (library), ==, "Q4_0");
  copy ("text-f32.gguf", own, "other.gguf");
  g_settings_set_enum (settings, "precision", FACET_PRECISION_BEST);
  g_assert_cmpstr (automatic (library), ==, "F32"); /* closest to the original */
  patch (own, "other.gguf", "gemma3-tiny-random", "gemma3-tiny-tuned.");
  facet_model_library_scan (library);
  wait_for (library);
  g_settings_set_enum (settings, "precision", FACET_PRECISION_SMALLEST);
  g_assert_cmpstr (automatic (library), !=, "F32"); /* another model, by its name */
  g_settings_set_enum (settings, "precision", FACET_PRECISION_BEST);
  g_assert_cmpstr (automatic (library), ==, "Q8_0");
  g_settings_reset (settings, "precision");
  g_remove (q4_0);
  g_remove (other);
}

/* What only judges pictures is not suggested for chats, whatever its place in
 * the list; what judges texts says why it cannot be used. */
static void
test_safety_models (void)
{
  g_autofree char *own = facet_model_library_directory ();
  g_autofree char *safety = g_build_filename (own, "a-safety.gguf", NULL);
  g_autofree char *old = g_build_filename (own, "a-text.gguf", NULL);
  g_autofree char *older = g_build_filename (own, "a-two.gguf", NULL);
  g_autoptr (FacetModelLibrary) library = NULL;
  FacetLocalModel *plain;

  copy ("text-q8_0.gguf", own, "a-safety.gguf");
  patch (own, "a-safety.gguf", "gemma3-tiny-random", "shieldgemma-2-tiny");
  copy ("text-q4_0.gguf", own, "a-two.gguf");
  patch (own, "a-two.gguf", "gemma3", "gemma2");
  copy ("text-q4_0.gguf", own, "a-text.gguf");
  patch (own, "a-text.gguf", "gemma3-tiny-random", "shieldgemma-1-tiny");
  patch (own, "a-text.gguf", "gemma3", "gemma2");
  library = facet_model_library_new (facet_settings_get_default ());
  wait_for (library);
  plain = facet_model_library_get_automatic (library);
  g_assert_false (facet_local_model_get_info (plain)->is_safety);
  g_assert_true (facet_local_model_get_info (find (library, own, "a-safety.gguf"))->is_safety);
  g_assert_cmpstr (facet_local_model_get_problem (find (library, own, "a-text.gguf")), ==,
                   "This safety model judges texts, which Facet does not do. ShieldGemma 2 judges pictures.");
  g_assert_cmpstr (facet_local_model_get_problem (find (library, own, "a-two.gguf")), ==,
                   "Facet runs Gemma 3, 3n and 4; this one is “gemma2”.");
  g_remove (safety);
  g_remove (old);
  g_remove (older);
}

static void
test_added_files_and_folders (void)
{
  g_autofree char *folder = g_dir_make_tmp ("facet-models-XXXXXX", NULL);
  g_autofree char *inside = g_build_filename (folder, "x.gguf", NULL);
  g_autoptr (FacetModelLibrary) library = facet_model_library_new (facet_settings_get_default ());
  g_autoptr (GFile) file = g_file_new_for_path (inside);
  g_autoptr (GFile) whole = g_file_new_for_path (folder);
  guint before;

  wait_for (library);
  before = g_list_model_get_n_items (G_LIST_MODEL (library));
  copy ("text-q4_0.gguf", folder, "x.gguf");
  facet_model_library_add (library, file);
  wait_for (library);
  g_assert_nonnull (facet_model_library_find (library, inside));
  facet_model_library_add (library, whole);
  wait_for (library);
  g_assert_cmpuint (g_list_model_get_n_items (G_LIST_MODEL (library)), ==, before + 1);
  g_remove (inside);
  g_settings_reset (facet_settings_get_default (), "model-files");
  g_settings_reset (facet_settings_get_default (), "model-folders");
  wait_for (library);
  g_assert_cmpuint (g_list_model_get_n_items (G_LIST_MODEL (library)), ==, before);
  g_rmdir (folder);
}

static void
finished_cb (GObject *object, GAsyncResult *result, gpointer data)
{
  *(GAsyncResult **) data = g_object_ref (result);
}

/* The first of several files stands for all, in the list and on the way to the trash. */
static void
test_split (void)
{
  g_autofree char *own = facet_model_library_directory ();
  g_autofree char *folder = g_build_filename (own, "split", NULL);
  g_autoptr (FacetModelLibrary) library = NULL;
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GError) error = NULL;
  FacetLocalModel *model;
  guint before;

  library = facet_model_library_new (facet_settings_get_default ());
  wait_for (library);
  before = g_list_model_get_n_items (G_LIST_MODEL (library));
  for (int i = 1; i <= 3; i++) {
    g_autofree char *name = g_strdup_printf ("tiny-%05d-of-00003.gguf", i);

    copy_from ("split", name, folder, name);
  }
  facet_model_library_scan (library);
  wait_for (library);
  g_assert_cmpuint (g_list_model_get_n_items (G_LIST_MODEL (library)), ==, before + 1);
  model = find (library, folder, "tiny-00001-of-00003.gguf");
  check_memory (model, facet_settings_get_default ());
  g_assert_cmpuint (g_strv_length (facet_local_model_get_info (model)->files), ==, 3);

  facet_model_library_trash_async (library, model, finished_cb, &result);
  while (result == NULL)
    g_main_context_iteration (NULL, TRUE);
  if (!facet_model_library_trash_finish (library, result, &error)) {
    g_assert_error (error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED);
    g_test_skip ("no trash on this disk");
    return;
  }
  wait_for (library);
  g_assert_cmpuint (g_list_model_get_n_items (G_LIST_MODEL (library)), ==, before);
  g_assert_cmpint (g_rmdir (folder), ==, 0);
}

static GListModel *
load_catalog (void)
{
  g_autofree char *path = g_test_build_filename (G_TEST_DIST, "..", "data", "models.json", NULL);
  g_autofree char *json = NULL;
  g_autoptr (GError) error = NULL;
  GListModel *catalog;
  gsize length;

  g_assert_true (g_file_get_contents (path, &json, &length, NULL));
  catalog = facet_catalog_parse (json, length, &error);
  g_assert_no_error (error);
  return catalog;
}

/* Only what may be promised: https, plain names, whole checksums with sizes. */
static void
test_catalogue_is_sound (void)
{
  g_autoptr (GListModel) catalog = load_catalog ();

  g_assert_cmpuint (g_list_model_get_n_items (catalog), ==, 9);
  for (guint i = 0; i < g_list_model_get_n_items (catalog); i++) {
    g_autoptr (FacetCatalogModel) model = g_list_model_get_item (catalog, i);
    GPtrArray *files = facet_catalog_model_get_files (model);

    g_assert_true (g_str_has_prefix (facet_catalog_model_get_terms (model), "https://"));
    g_assert_cmpuint (facet_catalog_model_get_memory (model), >, 0);
    for (guint j = 0; j < files->len; j++) {
      const FacetCatalogFile *file = files->pdata[j];

      g_assert_true (file->url == NULL || g_str_has_prefix (file->url, "https://"));
      g_assert_true (g_str_has_suffix (file->name, ".gguf"));
      g_assert_true (file->sha256 == NULL || (strlen (file->sha256) == 64 && file->size > 0));
    }
  }
}

static const char *
recommend (GListModel *catalog, guint gib, gboolean gpu, FacetSenses senses)
{
  FacetCatalogModel *model = facet_catalog_recommend (catalog, (guint64) gib << 30, gpu, senses);

  return model ? facet_catalog_model_get_id (model) : NULL;
}

static void
test_recommendations (void)
{
  g_autoptr (GListModel) catalog = load_catalog ();
  FacetSenses ears = FACET_SENSE_TEXT | FACET_SENSE_SOUND;
  FacetSenses eyes = FACET_SENSE_TEXT | FACET_SENSE_IMAGES;

  g_assert_cmpstr (recommend (catalog, 2, FALSE, FACET_SENSE_TEXT), ==, "gemma-3-1b");
  g_assert_cmpstr (recommend (catalog, 2, FALSE, ears), ==, NULL);
  g_assert_cmpstr (recommend (catalog, 6, FALSE, eyes), ==, "gemma-4-e2b");
  g_assert_cmpstr (recommend (catalog, 64, FALSE, ears), ==, "gemma-4-e4b");
  g_assert_cmpstr (recommend (catalog, 64, TRUE, ears), ==, "gemma-4-e4b");
  g_assert_cmpstr (recommend (catalog, 16, TRUE, eyes), ==, "gemma-3-12b");
}

static void
test_hostile_catalogue (void)
{
  static const char *const texts[] = {
    "", "[", "{\"models\": [7]}", "{\"models\": [{}]}", "{\"models\": [{\"id\": 1, \"files\": {}}]}",
    "{\"models\": [{\"id\": \"a\", \"name\": \"a\", \"licence\": \"a\", \"terms\": \"a\","
    " \"files\": [{\"role\": \"model\", \"name\": \"../../evil\"}]}]}",
  };

  for (gsize i = 0; i < G_N_ELEMENTS (texts); i++) {
    g_autoptr (GError) error = NULL;

    g_assert_null (facet_catalog_parse (texts[i], -1, &error));
    g_assert_nonnull (error);
  }
}

static void
test_pick (void)
{
  g_autoptr (GListModel) catalog = load_catalog ();
  g_autoptr (FacetCatalogModel) tiny = g_list_model_get_item (catalog, 0);
  FacetCatalogModel *four = facet_catalog_recommend (catalog, G_GUINT64_CONSTANT (6) << 30, FALSE, FACET_SENSE_TEXT);
  g_autoptr (GPtrArray) offered = facet_catalog_model_pick (tiny, FACET_PRECISION_BALANCED);
  g_autoptr (GPtrArray) files = facet_catalog_model_pick (four, FACET_PRECISION_BEST);

  g_assert_cmpuint (offered->len, ==, 1);
  g_assert_nonnull (((FacetCatalogFile *) offered->pdata[0])->url);
  g_assert_cmpuint (files->len, ==, 2);
  g_assert_false (((FacetCatalogFile *) files->pdata[0])->is_projector);
  g_assert_true (((FacetCatalogFile *) files->pdata[1])->is_projector);
}

static void
test_gpu (void)
{
  const struct {
    const char *devices;
    const char *name;
  } cases[] = {
    { "[{\"backend\": \"cpu\", \"name\": \"cpu\"}]", NULL },
    { "[{\"backend\": \"vulkan\", \"name\": \"llvmpipe\", \"kind\": \"software\", \"unfit\": \"\"}]", NULL },
    { "[{\"backend\": \"vulkan\", \"name\": \"Old\", \"kind\": \"discrete\", \"unfit\": \"no 16-bit storage\"},"
      "{\"backend\": \"vulkan\", \"name\": \"New\", \"kind\": \"integrated\", \"unfit\": \"\"}]", "New" },
    { "", NULL },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autofree char *name = facet_machine_find_gpu_in (cases[i].devices);

    g_assert_cmpstr (name, ==, cases[i].name);
  }
}

/* Told apart by name, also where two are called the same; what does not fit is left out. */
static void
test_graphics (void)
{
  g_autoptr (GPtrArray) devices = facet_machine_graphics_in (
    "[{\"backend\": \"cpu\", \"device\": 0, \"name\": \"cpu\"},"
    "{\"backend\": \"vulkan\", \"device\": 1, \"name\": \"Card\", \"kind\": \"discrete\", \"unfit\": \"\"},"
    "{\"backend\": \"vulkan\", \"device\": 2, \"name\": \"Old\", \"kind\": \"discrete\", \"unfit\": \"it computes nothing\"},"
    "{\"backend\": \"vulkan\", \"device\": 3, \"name\": \"Card\", \"kind\": \"discrete\", \"unfit\": \"\"},"
    "{\"backend\": \"vulkan\", \"device\": 4, \"name\": \"llvmpipe\", \"kind\": \"software\", \"unfit\": \"\"}]");
  g_autoptr (GPtrArray) none = facet_machine_graphics_in ("{}");

  g_assert_cmpuint (devices->len, ==, 3);
  g_assert_cmpint (facet_machine_find_graphics (devices, "Card"), ==, 1);
  g_assert_cmpint (facet_machine_find_graphics (devices, "Card #2"), ==, 3);
  g_assert_cmpint (facet_machine_find_graphics (devices, "llvmpipe"), ==, 4);
  g_assert_cmpint (facet_machine_find_graphics (devices, "Old"), ==, 0);
  g_assert_false (((FacetGraphicsDevice *) devices->pdata[1])->software);
  g_assert_true (((FacetGraphicsDevice *) devices->pdata[2])->software);
  g_assert_cmpuint (none->len, ==, 0);
}

int
main (int argc, char *argv[])
{
  char *data = data_folder_begin ();

  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/library/scan", test_scan);
  g_test_add_func ("/library/precision", test_precision);
  g_test_add_func ("/library/safety-models", test_safety_models);
  g_test_add_func ("/library/added-files-and-folders", test_added_files_and_folders);
  g_test_add_func ("/library/split", test_split);
  g_test_add_func ("/library/gpu", test_gpu);
  g_test_add_func ("/library/graphics", test_graphics);
  g_test_add_func ("/catalogue/is-sound", test_catalogue_is_sound);
  g_test_add_func ("/catalogue/recommendations", test_recommendations);
  g_test_add_func ("/catalogue/hostile", test_hostile_catalogue);
  g_test_add_func ("/catalogue/pick", test_pick);
  return data_folder_end (data, g_test_run ());
}
