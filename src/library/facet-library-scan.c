#define G_LOG_DOMAIN "facet"

#include "config.h"

#include <glib/gi18n-lib.h>
#include <string.h>

#include "facet-activity-log.h"
#include "facet-local-model-private.h"

/* A folder may be the top of a whole disk. */
#define MAX_DEPTH 4
#define MAX_FILES 1000

void
facet_scanned_free (FacetScanned *scanned)
{
  g_clear_pointer (&scanned->info, facet_model_info_free);
  g_free (scanned->path);
  g_free (scanned->problem);
  g_free (scanned->projector);
  g_free (scanned);
}

void
facet_scan_free (FacetScan *scan)
{
  g_strfreev (scan->folders);
  g_strfreev (scan->files);
  g_free (scan);
}

static void
add_file (GPtrArray *paths, const char *path)
{
  if (paths->len < MAX_FILES && !g_ptr_array_find_with_equal_func (paths, path, g_str_equal, NULL))
    g_ptr_array_add (paths, g_strdup (path));
}

static gboolean
is_gguf (const char *name)
{
  gsize length = strlen (name);

  return length > 5 && g_ascii_strcasecmp (name + length - 5, ".gguf") == 0;
}

static void
walk (GPtrArray *paths, const char *folder, int depth)
{
  g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
  const char *name;

  while (dir != NULL && paths->len < MAX_FILES && (name = g_dir_read_name (dir)) != NULL) {
    g_autofree char *path = g_build_filename (folder, name, NULL);

    if (*name == '.')
      continue;
    if (is_gguf (name) && g_file_test (path, G_FILE_TEST_IS_REGULAR))
      add_file (paths, path);
    else if (depth < MAX_DEPTH && g_file_test (path, G_FILE_TEST_IS_DIR) && !g_file_test (path, G_FILE_TEST_IS_SYMLINK))
      walk (paths, path, depth + 1);
  }
}

static char *
problem_sentence (const GError *error)
{
  switch (error->domain == FACET_ERROR ? error->code : FACET_ERROR_IO) {
  case FACET_ERROR_NOT_A_MODEL:
    return g_strdup (_("This is not a model file."));
  case FACET_ERROR_CORRUPT:
    return g_strdup (_("This file is damaged or did not arrive whole."));
  case FACET_ERROR_UNSUPPORTED:
    return g_strdup (_("This file needs something that Facet does not have yet."));
  default:
    return g_strdup (_("This file cannot be read."));
  }
}

/* NULL if it can be run. */
static char *
refusal (const FacetModelInfo *info)
{
  if (info->family != FACET_FAMILY_UNKNOWN || info->is_projector || info->part > 0)
    return NULL;
  if (info->is_safety)
    return g_strdup (_("This safety model judges texts, which Facet does not do. ShieldGemma 2 judges pictures."));
  if (g_str_has_prefix (info->architecture, "gemma"))
    /* Translators: %s names a version of Gemma, such as “gemma2”. */
    return g_strdup_printf (_("Facet runs Gemma 3, 3n and 4; this one is “%s”."), info->architecture);
  /* Translators: %s names a family of models, such as “llama”. */
  return g_strdup_printf (_("Facet knows models of the Gemma family only; this one is “%s”."), info->architecture);
}

static FacetScanned *
look_at (const char *path)
{
  FacetScanned *scanned = g_new0 (FacetScanned, 1);
  g_autoptr (GError) error = NULL;

  facet_activity_log_add (FACET_ACTIVITY_READ, path);
  scanned->path = g_strdup (path);
  scanned->senses = FACET_SENSE_TEXT;
  scanned->info = facet_model_info_read (path, &error);
  if (scanned->info == NULL) {
    g_message ("%s", error->message);
    scanned->problem = problem_sentence (error);
  } else {
    scanned->problem = refusal (scanned->info);
  }
  return scanned;
}

static gsize
common_prefix (const char *a, const char *b)
{
  gsize n = 0;

  while (a[n] != '\0' && a[n] == b[n])
    n++;
  return n;
}

/* Near: the same folder, then the most alike path. */
static gsize
nearness (const char *model, const char *projector)
{
  g_autofree char *folder = g_path_get_dirname (model);
  g_autofree char *other = g_path_get_dirname (projector);

  return common_prefix (model, projector) + (g_str_equal (folder, other) ? 65536 : 0);
}

static void
pair (FacetScanned *model, GPtrArray *all)
{
  const FacetScanned *best = NULL;

  for (guint i = 0; i < all->len; i++) {
    const FacetScanned *other = all->pdata[i];

    if (other->info == NULL || !other->info->is_projector || !facet_projector_fits (model->info, other->info))
      continue;
    if (best == NULL || nearness (model->path, other->path) > nearness (model->path, best->path))
      best = other;
  }
  if (best == NULL)
    return;
  model->projector = g_strdup (best->path);
  model->senses |= (best->info->has_vision ? FACET_SENSE_IMAGES : 0) | (best->info->has_audio ? FACET_SENSE_SOUND : 0);
}

static void
plan (FacetScanned *model, const FacetScan *scan)
{
  g_autoptr (GError) error = NULL;

  model->has_memory = facet_plan_memory (model->path, model->projector, MIN (scan->context, (int) model->info->context_length),
                                         scan->kv_type, &model->memory, &error);
  if (!model->has_memory)
    g_message ("the memory of %s is unknown: %s", model->path, error->message);
}

GPtrArray *
facet_scan_run (const FacetScan *scan)
{
  g_autoptr (GPtrArray) paths = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GPtrArray) all = g_ptr_array_new_with_free_func ((GDestroyNotify) facet_scanned_free);
  GPtrArray *models = g_ptr_array_new_with_free_func ((GDestroyNotify) facet_scanned_free);

  for (char **folder = scan->folders; *folder != NULL; folder++)
    walk (paths, *folder, 0);
  for (char **file = scan->files; *file != NULL; file++)
    add_file (paths, *file);
  for (guint i = 0; i < paths->len; i++)
    g_ptr_array_add (all, look_at (paths->pdata[i]));
  for (guint i = 0; i < all->len; i++) {
    FacetScanned *model = all->pdata[i];

    if (model->problem != NULL || model->info->is_projector || model->info->part > 0)
      continue;
    pair (model, all);
    plan (model, scan);
  }
  for (guint i = all->len; i-- > 0;) {
    const FacetScanned *scanned = all->pdata[i];

    if (scanned->info == NULL || (!scanned->info->is_projector && scanned->info->part == 0))
      g_ptr_array_add (models, g_ptr_array_steal_index (all, i));
  }
  return models;
}
