#define G_LOG_DOMAIN "facet"

#include "config.h"

#include <glib/gi18n-lib.h>

#include "facet-activity-log.h"
#include "facet-download-private.h"

#define NOTIFY_US (100 * 1000)
#define MEASURE_US (2 * G_USEC_PER_SEC)

enum {
  PROP_0,
  PROP_STATE,
  PROP_RECEIVED,
  PROP_TOTAL,
  PROP_MESSAGE,
  N_PROPS
};

static GParamSpec *properties[N_PROPS];

G_DEFINE_FINAL_TYPE (FacetDownload, facet_download, G_TYPE_OBJECT)

static void
facet_download_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  FacetDownload *self = FACET_DOWNLOAD (object);

  switch (id) {
  case PROP_STATE:
    g_value_set_int (value, self->state);
    break;
  case PROP_RECEIVED:
    g_value_set_uint64 (value, self->received);
    break;
  case PROP_TOTAL:
    g_value_set_uint64 (value, self->total);
    break;
  case PROP_MESSAGE:
    g_value_set_string (value, self->message);
    break;
  default:
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
  }
}

static void
facet_download_finalize (GObject *object)
{
  FacetDownload *self = FACET_DOWNLOAD (object);

  g_clear_handle_id (&self->retry_source, g_source_remove);
  g_clear_object (&self->cancellable);
  facet_download_part_close (self);
  g_clear_object (&self->body);
  g_clear_object (&self->request);
  g_clear_object (&self->session);
  g_clear_pointer (&self->uri, g_uri_unref);
  g_free (self->address);
  g_free (self->target);
  g_free (self->sha256);
  g_free (self->message);
  g_free (self->validator);
  G_OBJECT_CLASS (facet_download_parent_class)->finalize (object);
}

static void
facet_download_class_init (FacetDownloadClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GParamFlags flags = G_PARAM_READABLE | G_PARAM_STATIC_STRINGS;

  object_class->get_property = facet_download_get_property;
  object_class->finalize = facet_download_finalize;
  properties[PROP_STATE] = g_param_spec_int ("state", NULL, NULL, 0, FACET_DOWNLOAD_FAILED, 0, flags);
  properties[PROP_RECEIVED] = g_param_spec_uint64 ("received", NULL, NULL, 0, G_MAXUINT64, 0, flags);
  properties[PROP_TOTAL] = g_param_spec_uint64 ("total", NULL, NULL, 0, G_MAXUINT64, 0, flags);
  properties[PROP_MESSAGE] = g_param_spec_string ("message", NULL, NULL, NULL, flags);
  g_object_class_install_properties (object_class, N_PROPS, properties);
}

static void
facet_download_init (FacetDownload *self)
{
  self->fd = -1;
  self->pause_ms = 1000;
  self->goes = 8;
}

FacetDownload *
facet_download_new (const char *address, const char *target, guint64 size, const char *sha256)
{
  FacetDownload *self = g_object_new (FACET_TYPE_DOWNLOAD, NULL);

  self->address = g_strdup (address);
  self->target = g_strdup (target);
  self->size = size;
  self->sha256 = g_strdup (sha256);
  facet_download_part_load (self);
  return self;
}

void
facet_download_set_check (FacetDownload *self, FacetDownloadCheck check)
{
  self->check = check;
}

void
facet_download_set_retry (FacetDownload *self, guint pause_ms, guint goes)
{
  self->pause_ms = pause_ms;
  self->goes = goes;
}

void
facet_download_set_message (FacetDownload *self, const char *message)
{
  if (g_strcmp0 (self->message, message) == 0)
    return;
  g_free (self->message);
  self->message = g_strdup (message);
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_MESSAGE]);
}

void
facet_download_notify_progress (FacetDownload *self, gboolean now)
{
  gint64 time = g_get_monotonic_time ();

  if (!now && time - self->notified < NOTIFY_US)
    return;
  self->notified = time;
  if (time - self->measured >= MEASURE_US) {
    if (self->measured != 0 && self->received >= self->measured_received)
      self->speed = (self->received - self->measured_received) * (double) G_USEC_PER_SEC / (time - self->measured);
    self->measured = time;
    self->measured_received = self->received;
  }
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_RECEIVED]);
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_TOTAL]);
}

void
facet_download_set_state (FacetDownload *self, FacetDownloadState state)
{
  facet_download_notify_progress (self, TRUE);
  if (self->state == state)
    return;
  self->state = state;
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_STATE]);
}

void
facet_download_start (FacetDownload *self)
{
  g_autoptr (GUri) uri = NULL;

  g_return_if_fail (FACET_IS_DOWNLOAD (self));

  if (self->state == FACET_DOWNLOAD_RUNNING || self->state == FACET_DOWNLOAD_CHECKING)
    return;
  uri = g_uri_parse (self->address, SOUP_HTTP_URI_FLAGS, NULL);
  if (uri == NULL || !facet_download_allowed (uri)) {
    g_message ("%s: refused", self->address);
    facet_download_go_fail (self, _("The address of this file is not secure."));
    return;
  }
  g_clear_pointer (&self->uri, g_uri_unref);
  self->uri = g_steal_pointer (&uri);
  g_clear_object (&self->cancellable);
  self->cancellable = g_cancellable_new ();
  self->redirects = self->failures = self->restarts = 0;
  self->measured = 0;
  self->progress = FALSE;
  facet_download_part_load (self);
  facet_activity_log_add (FACET_ACTIVITY_WRITE, self->target);
  facet_download_set_message (self, NULL);
  facet_download_set_state (self, FACET_DOWNLOAD_RUNNING);
  facet_download_go_begin (self);
}

void
facet_download_pause (FacetDownload *self)
{
  g_return_if_fail (FACET_IS_DOWNLOAD (self));

  if (self->state != FACET_DOWNLOAD_RUNNING && self->state != FACET_DOWNLOAD_CHECKING)
    return;
  g_cancellable_cancel (self->cancellable);
  facet_download_go_end (self);
  self->speed = 0;
  facet_download_set_message (self, NULL);
  facet_download_set_state (self, FACET_DOWNLOAD_PAUSED);
}

void
facet_download_discard (FacetDownload *self)
{
  g_return_if_fail (FACET_IS_DOWNLOAD (self));

  if (self->state == FACET_DOWNLOAD_DONE)
    return;
  facet_download_pause (self);
  facet_download_part_remove (self);
  self->received = 0;
  self->total = self->size;
  facet_download_set_message (self, NULL);
  facet_download_set_state (self, FACET_DOWNLOAD_PAUSED);
}

FacetDownloadState
facet_download_get_state (FacetDownload *self)
{
  return self->state;
}

guint64
facet_download_get_received (FacetDownload *self)
{
  return self->received;
}

guint64
facet_download_get_total (FacetDownload *self)
{
  return self->total;
}

const char *
facet_download_get_message (FacetDownload *self)
{
  return self->message;
}

const char *
facet_download_get_target (FacetDownload *self)
{
  return self->target;
}

double
facet_download_get_speed (FacetDownload *self)
{
  return self->speed;
}
