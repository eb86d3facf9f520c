#define G_LOG_DOMAIN "facet"

#include "config.h"

#include <glib/gi18n-lib.h>

#include "facet-model-fetch.h"

struct _FacetModelFetch {
  GObject             parent_instance;

  GPtrArray          *downloads; /* FacetDownload, in order */
  guint               current;
  FacetDownloadState  state;
  char               *message;
};

enum {
  PROP_0,
  PROP_STATE,
  PROP_FRACTION,
  PROP_MESSAGE,
  N_PROPS
};

static GParamSpec *properties[N_PROPS];

G_DEFINE_FINAL_TYPE (FacetModelFetch, facet_model_fetch, G_TYPE_OBJECT)

static void
facet_model_fetch_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  FacetModelFetch *self = FACET_MODEL_FETCH (object);

  switch (id) {
  case PROP_STATE:
    g_value_set_int (value, self->state);
    break;
  case PROP_FRACTION:
    g_value_set_double (value, facet_model_fetch_get_fraction (self));
    break;
  case PROP_MESSAGE:
    g_value_set_string (value, self->message);
    break;
  default:
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
  }
}

static void
facet_model_fetch_finalize (GObject *object)
{
  FacetModelFetch *self = FACET_MODEL_FETCH (object);

  for (guint i = 0; i < self->downloads->len; i++) {
    g_signal_handlers_disconnect_by_data (self->downloads->pdata[i], self);
    facet_download_pause (self->downloads->pdata[i]);
  }
  g_ptr_array_unref (self->downloads);
  g_free (self->message);
  G_OBJECT_CLASS (facet_model_fetch_parent_class)->finalize (object);
}

static void
facet_model_fetch_class_init (FacetModelFetchClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GParamFlags flags = G_PARAM_READABLE | G_PARAM_STATIC_STRINGS;

  object_class->get_property = facet_model_fetch_get_property;
  object_class->finalize = facet_model_fetch_finalize;
  properties[PROP_STATE] = g_param_spec_int ("state", NULL, NULL, 0, FACET_DOWNLOAD_FAILED, 0, flags);
  properties[PROP_FRACTION] = g_param_spec_double ("fraction", NULL, NULL, -1, 1, -1, flags);
  properties[PROP_MESSAGE] = g_param_spec_string ("message", NULL, NULL, NULL, flags);
  g_object_class_install_properties (object_class, N_PROPS, properties);
}

static void
facet_model_fetch_init (FacetModelFetch *self)
{
  self->downloads = g_ptr_array_new_with_free_func (g_object_unref);
}

static gboolean
is_there (FacetDownload *download)
{
  return facet_download_get_state (download) == FACET_DOWNLOAD_DONE
         || g_file_test (facet_download_get_target (download), G_FILE_TEST_IS_REGULAR);
}

static void
set_state (FacetModelFetch *self, FacetDownloadState state, const char *message)
{
  if (g_strcmp0 (message, self->message) != 0) {
    g_free (self->message);
    self->message = g_strdup (message);
    g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_MESSAGE]);
  }
  if (state != self->state) {
    self->state = state;
    g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_STATE]);
  }
}

/* The first file that is not there yet. */
static void
start_next (FacetModelFetch *self)
{
  while (self->current < self->downloads->len && is_there (self->downloads->pdata[self->current]))
    self->current++;
  if (self->current == self->downloads->len)
    set_state (self, FACET_DOWNLOAD_DONE, NULL);
  else
    facet_download_start (self->downloads->pdata[self->current]);
}

static void
state_cb (FacetDownload *download, GParamSpec *pspec, FacetModelFetch *self)
{
  FacetDownloadState state = facet_download_get_state (download);

  if (self->current >= self->downloads->len || download != self->downloads->pdata[self->current])
    return;
  if (state == FACET_DOWNLOAD_DONE)
    start_next (self);
  else
    set_state (self, state, facet_download_get_message (download));
}

static void
received_cb (FacetDownload *download, GParamSpec *pspec, FacetModelFetch *self)
{
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_FRACTION]);
}

FacetModelFetch *
facet_model_fetch_new (GPtrArray *files, const char *folder)
{
  FacetModelFetch *self = g_object_new (FACET_TYPE_MODEL_FETCH, NULL);

  for (guint i = 0; i < files->len; i++) {
    const FacetCatalogFile *file = files->pdata[i];
    g_autofree char *target = g_build_filename (folder, file->name, NULL);
    FacetDownload *download = facet_download_new (file->url, target, file->size, file->sha256);

    facet_download_set_check (download, facet_download_check_gguf);
    g_signal_connect (download, "notify::state", G_CALLBACK (state_cb), self);
    g_signal_connect (download, "notify::message", G_CALLBACK (state_cb), self);
    g_signal_connect (download, "notify::received", G_CALLBACK (received_cb), self);
    g_ptr_array_add (self->downloads, download);
  }
  while (self->current < self->downloads->len && is_there (self->downloads->pdata[self->current]))
    self->current++;
  if (self->downloads->len > 0 && self->current == self->downloads->len)
    self->state = FACET_DOWNLOAD_DONE;
  return self;
}

void
facet_model_fetch_start (FacetModelFetch *self)
{
  g_return_if_fail (FACET_IS_MODEL_FETCH (self));

  self->current = 0;
  start_next (self);
}

void
facet_model_fetch_pause (FacetModelFetch *self)
{
  g_return_if_fail (FACET_IS_MODEL_FETCH (self));

  if (self->current < self->downloads->len)
    facet_download_pause (self->downloads->pdata[self->current]);
}

void
facet_model_fetch_discard (FacetModelFetch *self)
{
  g_return_if_fail (FACET_IS_MODEL_FETCH (self));

  for (guint i = 0; i < self->downloads->len; i++)
    facet_download_discard (self->downloads->pdata[i]);
  set_state (self, FACET_DOWNLOAD_PAUSED, NULL);
}

FacetDownloadState
facet_model_fetch_get_state (FacetModelFetch *self)
{
  return self->state;
}

static void
sum (FacetModelFetch *self, guint64 *received, guint64 *total)
{
  gboolean known = TRUE;

  *received = *total = 0;
  for (guint i = 0; i < self->downloads->len; i++) {
    FacetDownload *download = self->downloads->pdata[i];

    *received += facet_download_get_received (download);
    *total += facet_download_get_total (download);
    known = known && (facet_download_get_total (download) != 0 || is_there (download));
  }
  if (!known && self->current < self->downloads->len) {
    *received = facet_download_get_received (self->downloads->pdata[self->current]);
    *total = facet_download_get_total (self->downloads->pdata[self->current]);
  }
}

double
facet_model_fetch_get_fraction (FacetModelFetch *self)
{
  guint64 received, total;

  sum (self, &received, &total);
  return total != 0 ? CLAMP ((double) received / total, 0, 1) : -1;
}

const char *
facet_model_fetch_get_message (FacetModelFetch *self)
{
  return self->message;
}

gboolean
facet_model_fetch_has_part (FacetModelFetch *self)
{
  for (guint i = 0; i < self->downloads->len; i++) {
    if (facet_download_has_part (facet_download_get_target (self->downloads->pdata[i])))
      return TRUE;
  }
  return FALSE;
}

char *
facet_model_fetch_describe (FacetModelFetch *self)
{
  g_autofree char *have = NULL;
  g_autofree char *of = NULL;
  g_autofree char *rate = NULL;
  guint64 received, total;
  double speed;

  sum (self, &received, &total);
  speed = self->current < self->downloads->len ? facet_download_get_speed (self->downloads->pdata[self->current]) : 0;
  have = g_format_size (received);
  of = g_format_size (total);
  rate = g_format_size ((guint64) speed);
  if (self->state == FACET_DOWNLOAD_CHECKING)
    return g_strdup (_("Checking the file…"));
  if (total == 0)
    return g_strdup (have);
  if (speed <= 0)
    /* Translators: progress of a download, such as “1.2 GB of 2.5 GB”. */
    return g_strdup_printf (_("%s of %s"), have, of);
  /* Translators: progress of a download, such as “1.2 GB of 2.5 GB, 12 MB per second”. */
  return g_strdup_printf (_("%s of %s, %s per second"), have, of, rate);
}
