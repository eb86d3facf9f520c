#define G_LOG_DOMAIN "facet"

#include "config.h"

#include <glib/gi18n-lib.h>
#include <string.h>

#include "facet-download-private.h"

#define MAX_REDIRECTS 10

gboolean
facet_download_allowed (GUri *uri)
{
  const char *scheme = g_uri_get_scheme (uri);
  const char *host = g_uri_get_host (uri);

  if (host == NULL || *host == '\0')
    return FALSE;
  if (g_str_equal (scheme, "https"))
    return TRUE;
  return g_str_equal (scheme, "http") && (g_str_equal (host, "127.0.0.1") || g_str_equal (host, "::1"));
}

static FacetDownloadVerdict
refuse (GError **error, const char *sentence)
{
  g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_FAILED, sentence);
  return FACET_ANSWER_REFUSED;
}

static FacetDownloadVerdict
redirect (FacetDownload *self, SoupMessageHeaders *headers, GError **error)
{
  const char *location = soup_message_headers_get_one (headers, "Location");
  g_autoptr (GUri) next = location ? g_uri_parse_relative (self->uri, location, SOUP_HTTP_URI_FLAGS, NULL) : NULL;

  if (next == NULL || ++self->redirects > MAX_REDIRECTS)
    return refuse (error, _("The server leads in circles and never to the file."));
  if (!facet_download_allowed (next)) {
    g_message ("%s: redirect to %s refused", self->address, location);
    return refuse (error, _("The server leads to an address that is not secure."));
  }
  g_uri_unref (self->uri);
  self->uri = g_steal_pointer (&next);
  return FACET_ANSWER_REDIRECT;
}

/* RFC 9110, 13.1.5: If-Range takes a strong validator only. */
static char *
get_validator (SoupMessageHeaders *headers)
{
  const char *etag = soup_message_headers_get_one (headers, "ETag");

  if (etag != NULL)
    return g_str_has_prefix (etag, "W/") ? NULL : g_strdup (etag);
  return g_strdup (soup_message_headers_get_one (headers, "Last-Modified"));
}

static FacetDownloadVerdict
check_total (FacetDownload *self, guint64 total, GError **error)
{
  if (self->size != 0 && total != 0 && total != self->size) {
    g_message ("%s: the server has %" G_GUINT64_FORMAT " bytes, %" G_GUINT64_FORMAT " are expected", self->address,
               total, self->size);
    return refuse (error, _("The file on the server is not the expected one: its size differs."));
  }
  self->total = total != 0 ? total : self->size;
  return FACET_ANSWER_BODY;
}

static FacetDownloadVerdict
whole (FacetDownload *self, SoupMessageHeaders *headers, GError **error)
{
  guint64 length = soup_message_headers_get_encoding (headers) == SOUP_ENCODING_CONTENT_LENGTH
                     ? soup_message_headers_get_content_length (headers)
                     : 0;

  const char *encoding = soup_message_headers_get_one (headers, "Content-Encoding");

  if (encoding != NULL && g_ascii_strcasecmp (encoding, "identity") != 0)
    return refuse (error, _("The server sends the file in a form that was not asked for."));
  self->received = 0;
  g_free (self->validator);
  self->validator = get_validator (headers);
  return check_total (self, length, error);
}

static FacetDownloadVerdict
partial (FacetDownload *self, SoupMessageHeaders *headers, GError **error)
{
  g_autofree char *validator = get_validator (headers);
  goffset start, end, total;

  if (!soup_message_headers_get_content_range (headers, &start, &end, &total) || start < 0
      || (guint64) start != self->received || total <= 0 || end >= total
      || (self->total != 0 && (guint64) total != self->total)
      || (validator != NULL && g_strcmp0 (validator, self->validator) != 0)) {
    g_message ("%s: the answer does not continue the part of %" G_GUINT64_FORMAT " bytes", self->address,
               self->received);
    return FACET_ANSWER_RESTART;
  }
  return check_total (self, total, error);
}

FacetDownloadVerdict
facet_download_judge (FacetDownload *self, GError **error)
{
  SoupMessageHeaders *headers = soup_message_get_response_headers (self->request);
  guint status = soup_message_get_status (self->request);

  switch (status) {
  case SOUP_STATUS_OK:
    return whole (self, headers, error);
  case SOUP_STATUS_PARTIAL_CONTENT:
    return partial (self, headers, error);
  case SOUP_STATUS_REQUESTED_RANGE_NOT_SATISFIABLE:
    return self->total != 0 && self->received == self->total ? FACET_ANSWER_COMPLETE : FACET_ANSWER_RESTART;
  case SOUP_STATUS_MOVED_PERMANENTLY:
  case SOUP_STATUS_FOUND:
  case SOUP_STATUS_SEE_OTHER:
  case SOUP_STATUS_TEMPORARY_REDIRECT:
  case SOUP_STATUS_PERMANENT_REDIRECT:
    return redirect (self, headers, error);
  case SOUP_STATUS_UNAUTHORIZED:
  case SOUP_STATUS_FORBIDDEN:
    return refuse (error, _("The server wants you to sign in or to accept its terms first. Fetch the file with your "
                            "web browser, then add it here."));
  case SOUP_STATUS_NOT_FOUND:
  case SOUP_STATUS_GONE:
    return refuse (error, _("The file is no longer at this address."));
  case SOUP_STATUS_REQUEST_TIMEOUT:
  case 429:
    return FACET_ANSWER_AGAIN;
  default:
    g_message ("%s: status %u", self->address, status);
    return status >= 500 ? FACET_ANSWER_AGAIN : refuse (error, _("The server refuses to send the file."));
  }
}
