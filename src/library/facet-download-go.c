#define G_LOG_DOMAIN "facet"

#include "config.h"

#include <glib/gi18n-lib.h>

#include "facet-activity-log.h"
#include "facet-download-private.h"

#define CHUNK (256 * 1024)
#define STALL_SECONDS 30
#define MAX_RESTARTS 3
#define MAX_PAUSE_MS 60000

static void read_chunk (FacetDownload *self);

/* Ends the go under way; callbacks that still come see their cancellable. */
void
facet_download_go_end (FacetDownload *self)
{
  g_clear_handle_id (&self->retry_source, g_source_remove);
  self->go++;
  facet_download_part_close (self);
  g_clear_object (&self->body);
  g_clear_object (&self->request);
}

void
facet_download_go_fail (FacetDownload *self, const char *sentence)
{
  facet_download_go_end (self);
  self->speed = 0;
  facet_download_set_message (self, sentence);
  facet_download_set_state (self, FACET_DOWNLOAD_FAILED);
}

static gboolean
retry_cb (gpointer data)
{
  FacetDownload *self = data;

  self->retry_source = 0;
  facet_download_set_message (self, NULL);
  facet_download_go_begin (self);
  return G_SOURCE_REMOVE;
}

/* Before anything was sent there or back: most likely this computer is offline. */
static gboolean
is_unreachable (const GError *error)
{
  return error->domain == G_RESOLVER_ERROR || g_error_matches (error, G_IO_ERROR, G_IO_ERROR_HOST_UNREACHABLE)
         || g_error_matches (error, G_IO_ERROR, G_IO_ERROR_NETWORK_UNREACHABLE)
         || g_error_matches (error, G_IO_ERROR, G_IO_ERROR_HOST_NOT_FOUND)
         || g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CONNECTION_REFUSED);
}

/* @error may be NULL. */
static void
try_again (FacetDownload *self, const GError *error)
{
  gboolean unreachable = error != NULL && is_unreachable (error);
  g_autofree char *sentence = NULL;
  guint pause;

  facet_download_go_end (self);
  self->failures = self->progress ? 1 : self->failures + 1;
  self->progress = FALSE;
  if (unreachable)
    /* Translators: %s is the name of a web server. */
    sentence = g_strdup_printf (_("%s cannot be reached. Is this computer connected to the internet?"), g_uri_get_host (self->uri));
  if (self->failures >= self->goes) {
    facet_download_go_fail (self, unreachable ? sentence
                                              : _("The connection fails again and again. What has arrived is kept; try again later."));
    return;
  }
  pause = MIN (MAX_PAUSE_MS, self->pause_ms << MIN (self->failures - 1, 10));
  facet_download_set_message (self, unreachable ? sentence : _("The connection was lost. Trying again soon…"));
  self->retry_source = g_timeout_add (pause, retry_cb, self);
}

static void
restart (FacetDownload *self)
{
  facet_download_go_end (self);
  facet_download_part_remove (self);
  self->received = 0;
  self->total = self->size;
  g_clear_pointer (&self->validator, g_free);
  if (++self->restarts > MAX_RESTARTS)
    facet_download_go_fail (self, _("The server contradicts itself about this file. It was not taken."));
  else
    facet_download_go_begin (self);
}

static void
completed_cb (GObject *object, GAsyncResult *result, gpointer data)
{
  FacetDownload *self = FACET_DOWNLOAD (object);
  g_autoptr (GError) error = NULL;

  if (g_task_propagate_boolean (G_TASK (result), &error)) {
    facet_download_part_remove (self);
    facet_download_set_message (self, NULL);
    facet_download_set_state (self, FACET_DOWNLOAD_DONE);
  } else if (!g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED)) {
    /* A wrong file is no use as the start of the right one. */
    if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA)) {
      facet_download_part_remove (self);
      self->received = 0;
    }
    facet_download_go_fail (self, error->message);
  }
}

static void
finish (FacetDownload *self)
{
  facet_download_go_end (self);
  facet_download_set_state (self, FACET_DOWNLOAD_CHECKING);
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
    facet_download_go_fail (self, error->message);
    return;
  }
  self->received += self->writing;
  self->progress = TRUE;
  facet_download_notify_progress (self, FALSE);
  read_chunk (self);
}

static void
ended (FacetDownload *self)
{
  if (self->total != 0 && self->received < self->total)
    try_again (self, NULL);
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
    try_again (self, error);
    return;
  }
  length = g_bytes_get_size (bytes);
  if (length == 0) {
    ended (self);
    return;
  }
  if (self->total != 0 && length > self->total - self->received) {
    facet_download_go_fail (self, _("The server sends more than it said. The file was not taken."));
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
    facet_download_go_fail (self, error->message);
    return;
  }
  facet_download_notify_progress (self, TRUE);
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
      facet_download_go_fail (self, _("The server’s identity cannot be confirmed. Nothing was fetched."));
    else
      try_again (self, error);
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
    facet_download_go_begin (self);
    break;
  case FACET_ANSWER_AGAIN:
    try_again (self, NULL);
    break;
  case FACET_ANSWER_RESTART:
    restart (self);
    break;
  case FACET_ANSWER_REFUSED:
    facet_download_go_fail (self, error->message);
    break;
  }
}

void
facet_download_go_begin (FacetDownload *self)
{
  g_autofree char *address = g_uri_to_string (self->uri);
  SoupMessageHeaders *headers;

  facet_download_go_end (self);
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
