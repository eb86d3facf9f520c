#include "http-fixture.h"

#include <string.h>

char
http_fixture_byte (char fill, gsize offset)
{
  return (fill ? fill : 'a') + offset % 26;
}

typedef struct {
  gint64     from; /* -1: the whole file */
  HttpAnswer answer;
} Request;

static Request
read_request (HttpFixture *self, GDataInputStream *input)
{
  Request request = { .from = -1 };
  g_autofree char *if_range = NULL;

  for (;;) {
    g_autofree char *line = g_data_input_stream_read_line (input, NULL, NULL, NULL);

    if (line == NULL || *g_strchomp (line) == '\0')
      break;
    if (g_ascii_strncasecmp (line, "Range: bytes=", 13) == 0)
      request.from = g_ascii_strtoll (line + 13, NULL, 10);
    if (g_ascii_strncasecmp (line, "If-Range: ", 10) == 0) {
      g_free (if_range);
      if_range = g_strdup (line + 10);
    }
  }
  g_mutex_lock (&self->lock);
  request.answer = self->answers[MIN (self->requests, self->n_answers - 1)];
  self->ranges[MIN (self->requests, G_N_ELEMENTS (self->ranges) - 1)] = request.from;
  self->requests++;
  g_free (self->if_range);
  self->if_range = g_steal_pointer (&if_range);
  /* A range of another version is answered with the whole file. */
  if (request.answer.ignore_range
      || (self->if_range != NULL && !g_str_equal (self->if_range, request.answer.etag ? request.answer.etag : "\"one\"")))
    request.from = -1;
  g_mutex_unlock (&self->lock);
  return request;
}

static char *
head (HttpFixture *self, const Request *request, gsize start)
{
  const HttpAnswer *answer = &request->answer;
  g_autoptr (GString) text = g_string_new ("HTTP/1.1 ");

  g_string_append (text, answer->status ? answer->status : request->from >= 0 ? "206 Partial Content" : "200 OK");
  g_string_append_printf (text, "\r\nConnection: close\r\nETag: %s\r\n", answer->etag ? answer->etag : "\"one\"");
  if (answer->location != NULL)
    g_string_append_printf (text, "Location: %s\r\n", answer->location);
  if (request->from >= 0 && answer->status == NULL)
    g_string_append_printf (text, "Content-Range: bytes %" G_GSIZE_FORMAT "-%" G_GSIZE_FORMAT "/%" G_GSIZE_FORMAT "\r\n",
                            answer->wrong_range ? start / 2 : start, self->size - 1, self->size);
  if (!answer->no_length)
    g_string_append_printf (text, "Content-Length: %" G_GINT64_FORMAT "\r\n",
                            answer->status ? 0 : (gint64) (self->size - start) + answer->claim);
  g_string_append (text, "\r\n");
  return g_string_free (g_steal_pointer (&text), FALSE);
}

static void
write_body (HttpFixture *self, GOutputStream *output, const HttpAnswer *answer, gsize start)
{
  gsize length = self->size - start;
  g_autofree char *bytes = NULL;

  if (answer->cut_after != 0)
    length = MIN (length, answer->cut_after);
  bytes = g_malloc (length);
  for (gsize i = 0; i < length; i++)
    bytes[i] = self->bytes ? self->bytes[start + i] : http_fixture_byte (answer->fill, start + i);
  g_output_stream_write_all (output, bytes, length, NULL, NULL, NULL);
}

static void
serve (HttpFixture *self, GIOStream *connection)
{
  GOutputStream *output = g_io_stream_get_output_stream (connection);
  g_autoptr (GDataInputStream) input = g_data_input_stream_new (g_io_stream_get_input_stream (connection));
  Request request = read_request (self, input);
  gsize start = CLAMP (request.from, 0, (gint64) self->size);
  g_autofree char *text = head (self, &request, start);

  g_output_stream_write_all (output, text, strlen (text), NULL, NULL, NULL);
  if (request.answer.status == NULL)
    write_body (self, output, &request.answer, start);
  g_io_stream_close (connection, NULL, NULL);
}

static gboolean
run_cb (GThreadedSocketService *service, GSocketConnection *connection, GObject *source, HttpFixture *self)
{
  g_atomic_int_inc (&self->active);
  serve (self, G_IO_STREAM (connection));
  g_atomic_int_dec_and_test (&self->active);
  return TRUE;
}

void
http_fixture_start (HttpFixture *self, gsize size, const HttpAnswer *answers, guint n_answers)
{
  g_autoptr (GInetAddress) loopback = g_inet_address_new_loopback (G_SOCKET_FAMILY_IPV4);
  g_autoptr (GSocketAddress) wanted = g_inet_socket_address_new (loopback, 0);
  g_autoptr (GSocketAddress) got = NULL;
  g_autoptr (GError) error = NULL;

  g_mutex_init (&self->lock);
  self->requests = 0;
  self->size = size;
  self->answers = answers;
  self->n_answers = n_answers;
  self->service = g_threaded_socket_service_new (8);
  g_socket_listener_add_address (G_SOCKET_LISTENER (self->service), wanted, G_SOCKET_TYPE_STREAM, G_SOCKET_PROTOCOL_TCP,
                                 NULL, &got, &error);
  g_assert_no_error (error);
  self->address = g_strdup_printf ("http://127.0.0.1:%u/model.gguf",
                                   g_inet_socket_address_get_port (G_INET_SOCKET_ADDRESS (got)));
  g_signal_connect (self->service, "run", G_CALLBACK (run_cb), self);
  g_socket_service_start (self->service);
}

void
http_fixture_stop (HttpFixture *self)
{
  g_socket_service_stop (self->service);
  g_socket_listener_close (G_SOCKET_LISTENER (self->service));
  g_clear_object (&self->service);
  while (g_atomic_int_get (&self->active) > 0)
    g_usleep (1000);
  g_mutex_clear (&self->lock);
  g_clear_pointer (&self->if_range, g_free);
  g_clear_pointer (&self->address, g_free);
}
