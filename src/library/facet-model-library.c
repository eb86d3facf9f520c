#define G_LOG_DOMAIN "facet"

#include "config.h"

#include <glib/gi18n-lib.h>
#include <string.h>

#include "facet-local-model-private.h"
#include "facet-model-library.h"
#include "facet-settings.h"

struct _FacetModelLibrary {
  GObject    parent_instance;

  GSettings *settings;
  GPtrArray *models; /* FacetLocalModel */
  gboolean   scanning;
  gboolean   again;  /* something changed during the scan */
  char      *held;   /* path of the automatic choice, whose own memory is not free */
};

enum {
  PROP_0,
  PROP_SCANNING,
  N_PROPS
};

static GParamSpec *properties[N_PROPS];

static void list_model_init (GListModelInterface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (FacetModelLibrary, facet_model_library, G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (G_TYPE_LIST_MODEL, list_model_init))

static GType
get_item_type (GListModel *model)
{
  return FACET_TYPE_LOCAL_MODEL;
}

static guint
get_n_items (GListModel *model)
{
  return FACET_MODEL_LIBRARY (model)->models->len;
}

static gpointer
get_item (GListModel *model, guint position)
{
  GPtrArray *models = FACET_MODEL_LIBRARY (model)->models;

  return position < models->len ? g_object_ref (models->pdata[position]) : NULL;
}

static void
list_model_init (GListModelInterface *iface)
{
  iface->get_item_type = get_item_type;
  iface->get_n_items = get_n_items;
  iface->get_item = get_item;
}

static void
facet_model_library_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  if (id == PROP_SCANNING)
    g_value_set_boolean (value, FACET_MODEL_LIBRARY (object)->scanning);
  else
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
}

static void
facet_model_library_finalize (GObject *object)
{
  FacetModelLibrary *self = FACET_MODEL_LIBRARY (object);

  g_signal_handlers_disconnect_by_data (self->settings, self);
  g_object_unref (self->settings);
  g_ptr_array_unref (self->models);
  g_free (self->held);
  G_OBJECT_CLASS (facet_model_library_parent_class)->finalize (object);
}

static void
facet_model_library_class_init (FacetModelLibraryClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->get_property = facet_model_library_get_property;
  object_class->finalize = facet_model_library_finalize;
  properties[PROP_SCANNING] = g_param_spec_boolean ("scanning", NULL, NULL, FALSE,
                                                    G_PARAM_READABLE | G_PARAM_STATIC_STRINGS);
  g_object_class_install_properties (object_class, N_PROPS, properties);
}

static void
facet_model_library_init (FacetModelLibrary *self)
{
  self->models = g_ptr_array_new_with_free_func (g_object_unref);
}

char *
facet_model_library_directory (void)
{
  return g_build_filename (g_get_user_data_dir (), "facet", "models", NULL);
}

static int
compare_models (gconstpointer a, gconstpointer b)
{
  FacetLocalModel *left = *(FacetLocalModel **) a;
  FacetLocalModel *right = *(FacetLocalModel **) b;
  gboolean left_bad = facet_local_model_get_problem (left) != NULL;
  gboolean right_bad = facet_local_model_get_problem (right) != NULL;
  int order = left_bad - right_bad;

  if (order == 0)
    order = g_utf8_collate (facet_local_model_get_title (left), facet_local_model_get_title (right));
  return order != 0 ? order : strcmp (facet_local_model_get_path (left), facet_local_model_get_path (right));
}

static gboolean
fits_memory (FacetModelLibrary *self, FacetLocalModel *model)
{
  const FacetMemoryPlan *plan = facet_local_model_get_memory (model);

  return plan == NULL || plan->total <= plan->available || g_strcmp0 (facet_local_model_get_path (model), self->held) == 0;
}

/* A model that follows instructions before one that only continues text, and
 * what answers before what only judges. */
static gboolean
is_better (const FacetModelInfo *a, const FacetModelInfo *b)
{
  if (a->is_safety != b->is_safety)
    return b->is_safety;
  if (a->has_chat_template != b->has_chat_template)
    return a->has_chat_template;
  return a->parameters > b->parameters;
}

static int
precision_of (const FacetModelInfo *info)
{
  static const char *const best[] = { "Q6", "Q8", "F16", "BF16", "F32" };
  static const char *const balanced[] = { "Q4_K", "Q4_1", "Q5" };

  for (gsize i = 0; i < G_N_ELEMENTS (best); i++)
    if (g_str_has_prefix (info->quantization, best[i]))
      return FACET_PRECISION_BEST;
  for (gsize i = 0; i < G_N_ELEMENTS (balanced); i++)
    if (g_str_has_prefix (info->quantization, balanced[i]))
      return FACET_PRECISION_BALANCED;
  return FACET_PRECISION_SMALLEST;
}

/* As makers of files spell one name: “Gemma 3 4b It”, “gemma-3-4b-it”. */
static char *
plain_name (const FacetModelInfo *info)
{
  GString *plain = g_string_new (NULL);

  for (const char *p = info->name; *p != '\0'; p++) {
    if (g_ascii_isalnum (*p) || (guchar) *p >= 0x80)
      g_string_append_c (plain, g_ascii_tolower (*p));
  }
  return g_string_free (plain, FALSE);
}

static gboolean
is_same_model (const FacetModelInfo *a, const FacetModelInfo *b)
{
  g_autofree char *name_a = plain_name (a), *name_b = plain_name (b);

  return a->family == b->family && a->width == b->width && a->layers == b->layers
         && a->has_chat_template == b->has_chat_template && a->is_safety == b->is_safety && g_str_equal (name_a, name_b);
}

/* Of files equally near to the precision, the largest where it is “best”, else the smallest. */
static gboolean
suits_better (const FacetModelInfo *a, const FacetModelInfo *b, int precision)
{
  int from_a = ABS (precision_of (a) - precision), from_b = ABS (precision_of (b) - precision);

  if (from_a != from_b)
    return from_a < from_b;
  return precision == FACET_PRECISION_BEST ? a->file_bytes > b->file_bytes : a->file_bytes < b->file_bytes;
}

/* First the model, then its file. */
static FacetLocalModel *
pick (FacetModelLibrary *self)
{
  int precision = g_settings_get_enum (self->settings, "precision");
  FacetLocalModel *best = NULL;

  for (int round = 0; round < 2; round++) {
    for (guint i = 0; i < self->models->len; i++) {
      FacetLocalModel *model = self->models->pdata[i];
      const FacetModelInfo *info = facet_local_model_get_info (model);
      const FacetModelInfo *old = best ? facet_local_model_get_info (best) : NULL;

      if (info == NULL || !fits_memory (self, model))
        continue;
      if (old == NULL
          || (round == 0 ? is_better (info, old) : is_same_model (info, old) && suits_better (info, old, precision)))
        best = model;
    }
  }
  return best;
}

static void
scan_thread (GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
  g_task_return_pointer (task, facet_scan_run (data), (GDestroyNotify) g_ptr_array_unref);
}

static void
scanned_cb (GObject *object, GAsyncResult *result, gpointer data)
{
  FacetModelLibrary *self = FACET_MODEL_LIBRARY (object);
  g_autoptr (GPtrArray) found = g_task_propagate_pointer (G_TASK (result), NULL);
  guint before = self->models->len;
  FacetLocalModel *automatic;

  g_ptr_array_set_size (self->models, 0);
  while (found->len > 0)
    g_ptr_array_add (self->models, facet_local_model_new (g_ptr_array_steal_index (found, found->len - 1)));
  g_ptr_array_sort (self->models, compare_models);
  automatic = pick (self);
  g_free (self->held);
  self->held = automatic ? g_strdup (facet_local_model_get_path (automatic)) : NULL;
  g_list_model_items_changed (G_LIST_MODEL (self), 0, before, self->models->len);
  self->scanning = FALSE;
  g_object_notify_by_pspec (object, properties[PROP_SCANNING]);
  if (self->again)
    facet_model_library_scan (self);
}

void
facet_model_library_scan (FacetModelLibrary *self)
{
  g_autoptr (GTask) task = NULL;
  g_autoptr (GStrvBuilder) folders = NULL;
  g_auto (GStrv) added = NULL;
  g_autofree char *own = NULL;
  FacetScan *scan;

  g_return_if_fail (FACET_IS_MODEL_LIBRARY (self));

  self->again = self->scanning;
  if (self->scanning)
    return;
  own = facet_model_library_directory ();
  folders = g_strv_builder_new ();
  added = g_settings_get_strv (self->settings, "model-folders");
  g_strv_builder_add (folders, own);
  g_strv_builder_addv (folders, (const char **) added);
  scan = g_new0 (FacetScan, 1);
  scan->folders = g_strv_builder_end (folders);
  scan->files = g_settings_get_strv (self->settings, "model-files");
  scan->context = g_settings_get_int (self->settings, "context-length");
  scan->kv_type = facet_settings_get_kv_type (self->settings);
  self->scanning = TRUE;
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_SCANNING]);
  task = g_task_new (self, NULL, scanned_cb, NULL);
  g_task_set_task_data (task, scan, (GDestroyNotify) facet_scan_free);
  g_task_run_in_thread (task, scan_thread);
}

gboolean
facet_model_library_is_scanning (FacetModelLibrary *self)
{
  g_return_val_if_fail (FACET_IS_MODEL_LIBRARY (self), FALSE);

  return self->scanning;
}

/* What needs another amount of memory is chosen anew. */
static void
needs_changed_cb (FacetModelLibrary *self)
{
  g_clear_pointer (&self->held, g_free);
  facet_model_library_scan (self);
}

FacetModelLibrary *
facet_model_library_new (GSettings *settings)
{
  static const char *const keys[] = { "model-files", "model-folders" };
  static const char *const needs[] = { "context-length", "precision" };
  FacetModelLibrary *self = g_object_new (FACET_TYPE_MODEL_LIBRARY, NULL);

  self->settings = g_object_ref (settings);
  for (gsize i = 0; i < G_N_ELEMENTS (keys); i++) {
    g_autofree char *signal = g_strconcat ("changed::", keys[i], NULL);

    g_signal_connect_swapped (settings, signal, G_CALLBACK (facet_model_library_scan), self);
  }
  for (gsize i = 0; i < G_N_ELEMENTS (needs); i++) {
    g_autofree char *signal = g_strconcat ("changed::", needs[i], NULL);

    g_signal_connect_swapped (settings, signal, G_CALLBACK (needs_changed_cb), self);
  }
  facet_model_library_scan (self);
  return self;
}

static void
remember (GSettings *settings, const char *key, const char *path, gboolean wanted)
{
  g_auto (GStrv) old = g_settings_get_strv (settings, key);
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();
  g_auto (GStrv) paths = NULL;

  if (g_strv_contains ((const char *const *) old, path) == wanted)
    return;
  for (char **p = old; *p != NULL; p++) {
    if (!g_str_equal (*p, path))
      g_strv_builder_add (builder, *p);
  }
  if (wanted)
    g_strv_builder_add (builder, path);
  paths = g_strv_builder_end (builder);
  g_settings_set_strv (settings, key, (const char *const *) paths);
}

void
facet_model_library_add (FacetModelLibrary *self, GFile *file_or_folder)
{
  g_autofree char *path = NULL;

  g_return_if_fail (FACET_IS_MODEL_LIBRARY (self) && G_IS_FILE (file_or_folder));

  path = g_file_get_path (file_or_folder);
  if (path == NULL)
    return;
  remember (self->settings, g_file_test (path, G_FILE_TEST_IS_DIR) ? "model-folders" : "model-files", path, TRUE);
}

FacetLocalModel *
facet_model_library_find (FacetModelLibrary *self, const char *path)
{
  g_return_val_if_fail (FACET_IS_MODEL_LIBRARY (self), NULL);

  for (guint i = 0; i < self->models->len; i++) {
    if (g_strcmp0 (facet_local_model_get_path (self->models->pdata[i]), path) == 0)
      return self->models->pdata[i];
  }
  return NULL;
}

FacetLocalModel *
facet_model_library_get_automatic (FacetModelLibrary *self)
{
  g_return_val_if_fail (FACET_IS_MODEL_LIBRARY (self), NULL);

  return self->held != NULL ? facet_model_library_find (self, self->held) : NULL;
}

static void trash_last (GTask *task);

static void
trashed_cb (GObject *object, GAsyncResult *result, gpointer data)
{
  g_autoptr (GTask) task = data;
  FacetModelLibrary *self = g_task_get_source_object (task);
  GPtrArray *paths = g_task_get_task_data (task);
  const char *path = paths->pdata[paths->len - 1];
  g_autoptr (GError) error = NULL;

  if (g_file_trash_finish (G_FILE (object), result, &error)) {
    remember (self->settings, "model-files", path, FALSE);
    g_ptr_array_set_size (paths, paths->len - 1);
    if (paths->len > 0) {
      trash_last (g_steal_pointer (&task));
      return;
    }
    facet_model_library_scan (self);
    g_task_return_boolean (task, TRUE);
    return;
  }
  g_message ("%s: %s", path, error->message);
  g_task_return_new_error (task, G_IO_ERROR, error->domain == G_IO_ERROR ? error->code : G_IO_ERROR_FAILED, "%s",
                           g_error_matches (error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED)
                             ? _("There is no trash for this disk. Remove the file with your file manager.")
                             : _("The file cannot be moved to the trash."));
}

/* The first file, which makes the others a model, goes last. */
static void
trash_last (GTask *task)
{
  GPtrArray *paths = g_task_get_task_data (task);
  g_autoptr (GFile) file = g_file_new_for_path (paths->pdata[paths->len - 1]);

  g_file_trash_async (file, G_PRIORITY_DEFAULT, NULL, trashed_cb, task);
}

static GPtrArray *
files_of (FacetLocalModel *model)
{
  const FacetModelInfo *info = facet_local_model_get_info (model);
  GPtrArray *paths = g_ptr_array_new_with_free_func (g_free);

  if (info == NULL)
    g_ptr_array_add (paths, g_strdup (facet_local_model_get_path (model)));
  for (char **file = info != NULL ? info->files : NULL; file != NULL && *file != NULL; file++)
    g_ptr_array_add (paths, g_strdup (*file));
  return paths;
}

void
facet_model_library_trash_async (FacetModelLibrary   *self,
                                 FacetLocalModel     *model,
                                 GAsyncReadyCallback  callback,
                                 gpointer             user_data)
{
  GTask *task;

  g_return_if_fail (FACET_IS_MODEL_LIBRARY (self) && FACET_IS_LOCAL_MODEL (model));

  task = g_task_new (self, NULL, callback, user_data);
  g_task_set_source_tag (task, facet_model_library_trash_async);
  g_task_set_task_data (task, files_of (model), (GDestroyNotify) g_ptr_array_unref);
  trash_last (task);
}

gboolean
facet_model_library_trash_finish (FacetModelLibrary *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, self), FALSE);

  return g_task_propagate_boolean (G_TASK (result), error);
}
