#define G_LOG_DOMAIN "facet"

#include "config.h"

#include <glib/gi18n-lib.h>

#include "facet-activity-log.h"
#include "facet-download-private.h"

#define CHUNK (256 * 1024)
#define STALL_SECONDS 30
#define MAX_RESTARTS 3
#define MAX_PAUSE_MS 60000
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

static void send_request (FacetDownload *self);
static void read_chunk (FacetDownload *self);

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

static void
set_message (FacetDownload *self, const char *message)
{
  if (g_strcmp0 (self->message, message) == 0)
    return;
  g_free (self->message);
  self->message = g_strdup (message);
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_MESSAGE]);
}

static void
notify_progress (FacetDownload *self, gboolean now)
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

static void
set_state (FacetDownload *self, FacetDownloadState state)
{
  notify_progress (self, TRUE);
  if (self->state == state)
    return;
  self->state = state;
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_STATE]);
}

/* Ends the go under way; callbacks that still come see their cancellable. */
static void
end_go (FacetDownload *self)
{
  g_clear_handle_id (&self->retry_source, g_source_remove);
  self->go++;
  facet_download_part_close (self);
  g_clear_object (&self->body);
  g_clear_object (&self->request);
}

static void
fail (FacetDownload *self, const char *sentence)
{
  end_go (self);
  self->speed = 0;
  set_message (self, sentence);
  set_state (self, FACET_DOWNLOAD_FAILED);
}

static gboolean
retry_cb (gpointer data)
{
  FacetDownload *self = data;

  self->retry_source = 0;
  set_message (self, NULL);
  send_request (self);
  return G_SOURCE_REMOVE;
}

static void
try_again (FacetDownload *self)
{
  guint pause;

  end_go (self);
  self->failures = self->progress ? 1 : self->failures + 1;
  self->progress = FALSE;
  if (self->failures >= self->goes) {
    fail (self, _("The connection fails again and again. What has arrived is kept; try again later."));
    return;
  }
  pause = MIN (MAX_PAUSE_MS, self->pause_ms << MIN (self->failures - 1, 10));
  set_message (self, _("The connection was lost. Trying again soon…"));
  self->retry_source = g_timeout_add (pause, retry_cb, self);
}

static void
restart (FacetDownload *self)
{
  end_go (self);
  facet_download_part_remove (self);
  self->received = 0;
  self->total = self->size;
  g_clear_pointer (&self->validator, g_free);
  if (++self->restarts > MAX_RESTARTS)
    fail (self, _("The server contradicts itself about this file. It was not taken."));
  else
    send_request (self);
}

static void
completed_cb (GObject *object, GAsyncResult *result, gpointer data)
{
  FacetDownload *self = FACET_DOWNLOAD (object);
  g_autoptr (GError) error = NULL;

  if (g_task_propagate_boolean (G_TASK (result), &error)) {
    facet_download_part_remove (self);
    set_message (self, NULL);
    set_state (self, FACET_DOWNLOAD_DONE);
  } else if (!g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED)) {
    /* A wrong file is no use as the start of the right one. */
    if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA)) {
      facet_download_part_remove (self);
      self->received = 0;
    }
    fail (self, error->message);
  }
}

static void
finish (FacetDownload *self)
{
  end_go (self);
  set_state (self, FACET_DOWNLOAD_CHECKING);
  facet_download_complete (self, completed_cb);
}

static void
written_cb (GObject *object, GAsyncResult *result, gpointer data)
{
  FacetDownload *self = FACET_DOWNLOAD (object);
  g_autoptr (GError) error = NULL;
  gboolean ok = g_task_propagate_boolean (G_TASK (result), &error);

  if (GPOINTER_TO_UINT (data) != self->go)
    return;
  if (!ok) {
    fail (self, error->message);
    return;
  }
  self->received += self->writing;
  self->progress = TRUE;
  notify_progress (self, FALSE);
  read_chunk (self);
}

static void
ended (FacetDownload *self)
{
  if (self->total != 0 && self->received < self->total)
    try_again (self);
  else
    finish (self);
}

static void
read_cb (GObject *object, GAsyncResult *result, gpointer data)
{
  g_autoptr (FacetDownload) self = data;
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) bytes = g_input_stream_read_bytes_finish (G_INPUT_STREAM (object), result, &error);
  gsize length;

  if (self->body != G_INPUT_STREAM (object))
    return;
  if (bytes == NULL) {
    g_message ("%s: %s", self->address, error->message);
    try_again (self);
    return;
  }
  length = g_bytes_get_size (bytes);
  if (length == 0) {
    ended (self);
    return;
  }
  if (self->total != 0 && length > self->total - self->received) {
    fail (self, _("The server sends more than it said. The file was not taken."));
    return;
  }
  self->writing = length;
  facet_download_part_write (self, bytes, written_cb, GUINT_TO_POINTER (self->go));
}

static void
read_chunk (FacetDownload *self)
{
  g_input_stream_read_bytes_async (self->body, CHUNK, G_PRIORITY_LOW, self->cancellable, read_cb, g_object_ref (self));
}

static void
take_body (FacetDownload *self)
{
  g_autoptr (GError) error = NULL;

  if (!facet_download_has_room (self, &error) || !facet_download_part_open (self, &error)
      || !facet_download_part_save (self, &error)) {
    fail (self, error->message);
    return;
  }
  notify_progress (self, TRUE);
  read_chunk (self);
}

static void
answer_cb (GObject *object, GAsyncResult *result, gpointer data)
{
  g_autoptr (FacetDownload) self = data;
  g_autoptr (GError) error = NULL;
  g_autoptr (GInputStream) body = soup_session_send_finish (SOUP_SESSION (object), result, &error);

  if (self->state != FACET_DOWNLOAD_RUNNING || soup_session_get_async_result_message (SOUP_SESSION (object), result) != self->request)
    return;
  if (body == NULL) {
    g_message ("%s: %s", self->address, error->message);
    if (error->domain == G_TLS_ERROR)
      fail (self, _("The server’s identity cannot be confirmed. Nothing was fetched."));
    else
      try_again (self);
    return;
  }
  switch (facet_download_judge (self, &error)) {
  case FACET_ANSWER_BODY:
    self->body = g_steal_pointer (&body);
    take_body (self);
    break;
  case FACET_ANSWER_COMPLETE:
    finish (self);
    break;
  case FACET_ANSWER_REDIRECT:
    send_request (self);
    break;
  case FACET_ANSWER_AGAIN:
    try_again (self);
    break;
  case FACET_ANSWER_RESTART:
    restart (self);
    break;
  case FACET_ANSWER_REFUSED:
    fail (self, error->message);
    break;
  }
}

static void
send_request (FacetDownload *self)
{
  g_autofree char *address = g_uri_to_string (self->uri);
  SoupMessageHeaders *headers;

  end_go (self);
  if (self->session == NULL) {
    self->session = soup_session_new_with_options ("timeout", STALL_SECONDS, "user-agent", "Facet", NULL);
    soup_session_remove_feature_by_type (self->session, SOUP_TYPE_CONTENT_DECODER);
  }
  self->request = soup_message_new_from_uri ("GET", self->uri);
  soup_message_add_flags (self->request, SOUP_MESSAGE_NO_REDIRECT);
  headers = soup_message_get_request_headers (self->request);
  soup_message_headers_replace (headers, "Accept-Encoding", "identity");
  if (self->received > 0 && self->validator != NULL) {
    soup_message_headers_set_range (headers, self->received, -1);
    soup_message_headers_replace (headers, "If-Range", self->validator);
  }
  facet_activity_log_add (FACET_ACTIVITY_NETWORK, address);
  soup_session_send_async (self->session, self->request, G_PRIORITY_LOW, self->cancellable, answer_cb,
                           g_object_ref (self));
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
    fail (self, _("The address of this file is not secure."));
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
  set_message (self, NULL);
  set_state (self, FACET_DOWNLOAD_RUNNING);
  send_request (self);
}

void
facet_download_pause (FacetDownload *self)
{
  g_return_if_fail (FACET_IS_DOWNLOAD (self));

  if (self->state != FACET_DOWNLOAD_RUNNING && self->state != FACET_DOWNLOAD_CHECKING)
    return;
  g_cancellable_cancel (self->cancellable);
  end_go (self);
  self->speed = 0;
  set_message (self, NULL);
  set_state (self, FACET_DOWNLOAD_PAUSED);
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
  set_message (self, NULL);
  set_state (self, FACET_DOWNLOAD_PAUSED);
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
