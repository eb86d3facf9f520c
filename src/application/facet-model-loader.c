#define G_LOG_DOMAIN "facet"

#include "config.h"

#include "facet-activity-log.h"
#include "facet-model-loader.h"
#include "facet-settings.h"

#define SETTLE_MS 600

struct _FacetModelLoader {
  GSettings          *settings;
  FacetModelLibrary  *library;
  FacetEngineService *service;
  char               *path;      /* asked for last; NULL: nothing yet */
  char               *projector; /* likewise; may be NULL */
  guint               timer;
  gboolean            stale;     /* settings changed: load at once */
  gboolean            outdated;  /* the library found better: load when no answer is being written */
};

/* What the settings ask for. Returns FALSE if there is nothing to load. */
static gboolean
resolve (FacetModelLoader *self, char **path, char **projector)
{
  g_autofree char *eyes = g_settings_get_string (self->settings, "projector");
  FacetLocalModel *model;

  *path = g_settings_get_string (self->settings, "model");
  model = **path != '\0' ? facet_model_library_find (self->library, *path) : facet_model_library_get_automatic (self->library);
  if (**path == '\0') {
    g_free (*path);
    *path = model != NULL ? g_strdup (facet_local_model_get_path (model)) : NULL;
  }
  *projector = *eyes != '\0'   ? g_steal_pointer (&eyes)
               : model != NULL ? g_strdup (facet_local_model_get_projector (model))
                               : NULL;
  return *path != NULL;
}

static void
load (FacetModelLoader *self, const char *path, const char *projector)
{
  g_autofree char *device = g_settings_get_string (self->settings, "graphics-device");
  FacetLoadSpec spec = {
    .path = (char *) path,
    .projector = (char *) projector,
    .backend = facet_settings_get_backend (self->settings),
    .device = device,
    .threads = g_settings_get_int (self->settings, "threads"),
    .context = g_settings_get_int (self->settings, "context-length"),
    .kv_type = facet_settings_get_kv_type (self->settings),
  };

  self->stale = FALSE;
  self->outdated = FALSE;
  g_free (self->path);
  g_free (self->projector);
  self->path = g_strdup (path);
  self->projector = g_strdup (projector);
  facet_activity_log_add (FACET_ACTIVITY_READ, path);
  facet_engine_service_load (self->service, &spec);
}

static void
follow (FacetModelLoader *self)
{
  g_autofree char *chosen = g_settings_get_string (self->settings, "model");
  g_autofree char *path = NULL, *projector = NULL;

  if (self->timer != 0 || (*chosen == '\0' && facet_model_library_is_scanning (self->library)))
    return; /* its end comes back here */
  if (!self->stale && (!self->outdated || facet_engine_service_get_state (self->service) == FACET_ENGINE_ANSWERING))
    return;
  if (resolve (self, &path, &projector))
    load (self, path, projector);
}

static gboolean
settled_cb (gpointer data)
{
  FacetModelLoader *self = data;

  self->timer = 0;
  self->stale = TRUE;
  follow (self);
  return G_SOURCE_REMOVE;
}

/* Several keys change together, and a slider changes often. */
static void
settings_changed_cb (GSettings *settings, const char *key, FacetModelLoader *self)
{
  static const char *const keys[] = { "model",   "projector",      "backend",   "graphics-device",
                                      "threads", "context-length", "precision", NULL };

  if (!g_strv_contains (keys, key))
    return;
  g_clear_handle_id (&self->timer, g_source_remove);
  self->timer = g_timeout_add (SETTLE_MS, settled_cb, self);
}

/* A chosen file that is gone is not asked for again: what is loaded goes on. */
static void
scanned_cb (FacetModelLoader *self)
{
  g_autofree char *path = NULL, *projector = NULL;
  gboolean changed;

  if (facet_model_library_is_scanning (self->library) || !resolve (self, &path, &projector))
    return;
  changed = g_strcmp0 (path, self->path) != 0 || g_strcmp0 (projector, self->projector) != 0;
  if (facet_engine_service_get_state (self->service) == FACET_ENGINE_EMPTY)
    self->stale = self->path == NULL || facet_model_library_find (self->library, path) != NULL;
  else if (facet_model_library_find (self->library, path) != NULL)
    self->outdated = changed;
  follow (self);
}

/* The file may be gone, which the list does not know yet. */
static void
load_failed_cb (FacetModelLoader *self)
{
  if (!g_file_test (self->path, G_FILE_TEST_EXISTS))
    facet_model_library_scan (self->library);
}

FacetModelLoader *
facet_model_loader_new (GSettings *settings, FacetModelLibrary *library, FacetEngineService *service)
{
  FacetModelLoader *self = g_new0 (FacetModelLoader, 1);

  self->settings = g_object_ref (settings);
  self->library = g_object_ref (library);
  self->service = g_object_ref (service);
  g_signal_connect (settings, "changed", G_CALLBACK (settings_changed_cb), self);
  g_signal_connect_swapped (library, "notify::scanning", G_CALLBACK (scanned_cb), self);
  g_signal_connect_swapped (service, "notify::state", G_CALLBACK (follow), self);
  g_signal_connect_swapped (service, "load-failed", G_CALLBACK (load_failed_cb), self);
  return self;
}

void
facet_model_loader_free (FacetModelLoader *self)
{
  g_clear_handle_id (&self->timer, g_source_remove);
  g_signal_handlers_disconnect_by_data (self->settings, self);
  g_signal_handlers_disconnect_by_data (self->library, self);
  g_signal_handlers_disconnect_by_data (self->service, self);
  g_object_unref (self->settings);
  g_object_unref (self->library);
  g_object_unref (self->service);
  g_free (self->path);
  g_free (self->projector);
  g_free (self);
}
