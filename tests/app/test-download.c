/* Downloads against a server that cuts, lies and changes its mind. */
#include <glib/gstdio.h>
#include <string.h>

#include "facet-activity-log.h"
#include "facet-download.h"
#include "http-fixture.h"

#define SIZE (3 * 1000 * 1000 + 7)

typedef struct {
  HttpFixture    http;
  char          *directory;
  char          *target;
  FacetDownload *download;
} Fixture;

static void
begin (Fixture *self, const HttpAnswer *answers, guint n_answers, guint64 size, const char *sha256)
{
  self->directory = g_dir_make_tmp ("facet-download-XXXXXX", NULL);
  self->target = g_build_filename (self->directory, "models", "m.gguf", NULL);
  http_fixture_start (&self->http, SIZE, answers, n_answers);
  self->download = facet_download_new (self->http.address, self->target, size, sha256);
  facet_download_set_retry (self->download, 5, 4);
}

static void
again (Fixture *self, guint64 size)
{
  g_clear_object (&self->download);
  self->download = facet_download_new (self->http.address, self->target, size, NULL);
  facet_download_set_retry (self->download, 5, 4);
}

static void
end (Fixture *self)
{
  g_autofree char *models = g_path_get_dirname (self->target);
  g_autofree char *part = g_strconcat (self->target, ".part", NULL);
  g_autofree char *state = g_strconcat (self->target, ".part.state", NULL);

  facet_download_pause (self->download);
  g_clear_object (&self->download);
  http_fixture_stop (&self->http);
  g_unlink (part);
  g_unlink (state);
  g_unlink (self->target);
  g_rmdir (models);
  g_assert_cmpint (g_rmdir (self->directory), ==, 0);
  g_free (self->directory);
  g_free (self->target);
}

static FacetDownloadState
run (Fixture *self)
{
  facet_download_start (self->download);
  while (facet_download_get_state (self->download) == FACET_DOWNLOAD_RUNNING
         || facet_download_get_state (self->download) == FACET_DOWNLOAD_CHECKING)
    g_main_context_iteration (NULL, TRUE);
  return facet_download_get_state (self->download);
}

static void
assert_file (Fixture *self, char fill)
{
  g_autofree char *bytes = NULL;
  gsize length;

  g_assert_true (g_file_get_contents (self->target, &bytes, &length, NULL));
  g_assert_cmpuint (length, ==, SIZE);
  for (gsize i = 0; i < length; i++)
    if (bytes[i] != http_fixture_byte (fill, i))
      g_error ("byte %" G_GSIZE_FORMAT " differs", i);
  g_assert_false (facet_download_has_part (self->target));
}

static void
test_whole (void)
{
  const HttpAnswer answers[] = { { 0 } };
  g_autoptr (GChecksum) checksum = g_checksum_new (G_CHECKSUM_SHA256);
  Fixture self = { 0 };

  for (gsize i = 0; i < SIZE; i++) {
    guchar byte = http_fixture_byte (0, i);

    g_checksum_update (checksum, &byte, 1);
  }
  begin (&self, answers, 1, SIZE, g_checksum_get_string (checksum));
  g_assert_cmpint (run (&self), ==, FACET_DOWNLOAD_DONE);
  assert_file (&self, 0);
  g_assert_cmpuint (facet_download_get_received (self.download), ==, SIZE);
  end (&self);
}

static void
test_cut_connections_go_on (void)
{
  const HttpAnswer answers[] = { { .cut_after = 1000000 }, { .status = "503 Busy" }, { .cut_after = 1 },
                                 { .cut_after = 900000 }, { 0 } };
  Fixture self = { 0 };

  begin (&self, answers, G_N_ELEMENTS (answers), 0, NULL);
  g_assert_cmpint (run (&self), ==, FACET_DOWNLOAD_DONE);
  assert_file (&self, 0);
  g_assert_cmpint (self.http.ranges[0], ==, -1);
  g_assert_cmpint (self.http.ranges[1], ==, 1000000);
  g_assert_cmpint (self.http.ranges[3], ==, 1000001);
  g_assert_cmpint (self.http.ranges[4], ==, 1900001);
  end (&self);
}

static void
test_dead_server_is_given_up (void)
{
  const HttpAnswer answers[] = { { .cut_after = 5000 }, { .status = "500 No" } };
  Fixture self = { 0 };

  begin (&self, answers, 2, 0, NULL);
  g_assert_cmpint (run (&self), ==, FACET_DOWNLOAD_FAILED);
  g_assert_nonnull (facet_download_get_message (self.download));
  g_assert_true (facet_download_has_part (self.target));
  g_assert_cmpuint (self.http.requests, <, 10);
  end (&self);
}

/* As without a network: nobody is there. */
static void
test_unreachable (void)
{
  const HttpAnswer answers[] = { { 0 } };
  Fixture self = { 0 };

  begin (&self, answers, 1, 0, NULL);
  http_fixture_stop (&self.http);
  g_assert_cmpint (run (&self), ==, FACET_DOWNLOAD_FAILED);
  g_assert_cmpstr (facet_download_get_message (self.download), ==,
                   "127.0.0.1 cannot be reached. Is this computer connected to the internet?");
  g_assert_false (facet_download_has_part (self.target));
  http_fixture_start (&self.http, SIZE, answers, 1);
  end (&self);
}

static void
pause_at (Fixture *self, guint64 received)
{
  facet_download_start (self->download);
  while (facet_download_get_received (self->download) < received)
    g_main_context_iteration (NULL, TRUE);
  facet_download_pause (self->download);
  g_assert_cmpint (facet_download_get_state (self->download), ==, FACET_DOWNLOAD_PAUSED);
}

static void
test_pause_and_restart_of_the_program (void)
{
  const HttpAnswer answers[] = { { 0 } };
  Fixture self = { 0 };

  begin (&self, answers, 1, 0, NULL);
  pause_at (&self, 500000);
  again (&self, 0);
  g_assert_cmpuint (facet_download_get_received (self.download), >=, 500000);
  g_assert_cmpuint (facet_download_get_total (self.download), ==, SIZE);
  g_assert_cmpint (run (&self), ==, FACET_DOWNLOAD_DONE);
  g_assert_cmpint (self.http.ranges[1], >=, 500000);
  assert_file (&self, 0);
  end (&self);
}

/* Pausing while a piece is on its way to the disk must not write it twice. */
static void
test_many_pauses (void)
{
  const HttpAnswer answers[] = { { 0 } };
  Fixture self = { 0 };

  begin (&self, answers, 1, 0, NULL);
  for (guint64 at = 1; at < SIZE - 300000; at += 300000)
    pause_at (&self, at);
  g_assert_cmpint (run (&self), ==, FACET_DOWNLOAD_DONE);
  assert_file (&self, 0);
  end (&self);
}

static void
test_changed_meanwhile (void)
{
  const HttpAnswer answers[] = { { .cut_after = 1000000 }, { .etag = "\"two\"", .fill = 'A' } };
  Fixture self = { 0 };

  begin (&self, answers, 2, 0, NULL);
  g_assert_cmpint (run (&self), ==, FACET_DOWNLOAD_DONE);
  g_assert_cmpstr (self.http.if_range, ==, "\"one\"");
  assert_file (&self, 'A');
  end (&self);
}

static void
test_range_ignored (void)
{
  const HttpAnswer answers[] = { { .cut_after = 1000000 }, { .ignore_range = TRUE } };
  Fixture self = { 0 };

  begin (&self, answers, 2, 0, NULL);
  g_assert_cmpint (run (&self), ==, FACET_DOWNLOAD_DONE);
  assert_file (&self, 0);
  end (&self);
}

static void
test_wrong_range_starts_anew (void)
{
  const HttpAnswer answers[] = { { .cut_after = 1000000 }, { .wrong_range = TRUE }, { 0 } };
  Fixture self = { 0 };

  begin (&self, answers, 3, 0, NULL);
  g_assert_cmpint (run (&self), ==, FACET_DOWNLOAD_DONE);
  g_assert_cmpint (self.http.ranges[2], ==, -1);
  assert_file (&self, 0);
  end (&self);
}

static void
test_lies_about_length (void)
{
  const HttpAnswer longer[] = { { .claim = 1000 } };
  const HttpAnswer shorter[] = { { .claim = -1000 } };
  Fixture self = { 0 };

  begin (&self, longer, 1, 0, NULL);
  g_assert_cmpint (run (&self), ==, FACET_DOWNLOAD_FAILED);
  g_assert_false (g_file_test (self.target, G_FILE_TEST_EXISTS));
  end (&self);
  begin (&self, shorter, 1, SIZE, NULL);
  g_assert_cmpint (run (&self), ==, FACET_DOWNLOAD_FAILED);
  g_assert_false (g_file_test (self.target, G_FILE_TEST_EXISTS));
  end (&self);
}

static void
test_unknown_length_cut_is_noticed (void)
{
  const HttpAnswer answers[] = { { .no_length = TRUE, .cut_after = 2000000 }, { .no_length = TRUE } };
  Fixture self = { 0 };

  begin (&self, answers, 2, SIZE, NULL);
  g_assert_cmpint (run (&self), ==, FACET_DOWNLOAD_DONE);
  assert_file (&self, 0);
  end (&self);
}

static void
test_wrong_checksum_leaves_nothing (void)
{
  const HttpAnswer answers[] = { { 0 } };
  Fixture self = { 0 };

  begin (&self, answers, 1, SIZE, "a5fd3b62230aa5ec60212297dc9d20eaa70578ac519e00d93a17e44c087a6818");
  g_assert_cmpint (run (&self), ==, FACET_DOWNLOAD_FAILED);
  g_assert_false (g_file_test (self.target, G_FILE_TEST_EXISTS));
  g_assert_false (facet_download_has_part (self.target));
  end (&self);
}

static void
test_not_a_model (void)
{
  const HttpAnswer answers[] = { { 0 } };
  Fixture self = { 0 };

  begin (&self, answers, 1, 0, NULL);
  facet_download_set_check (self.download, facet_download_check_gguf);
  g_assert_cmpint (run (&self), ==, FACET_DOWNLOAD_FAILED);
  g_assert_false (g_file_test (self.target, G_FILE_TEST_EXISTS));
  end (&self);
}

static void
test_unsafe_addresses (void)
{
  static const char *const refused[] = { "http://example.invalid/m", "ftp://127.0.0.1/m", "file:///etc/passwd", "m", "",
                                         "http://127.0.0.1.example.invalid/m", "http://localhost/m" };
  const HttpAnswer redirect[] = { { .status = "302 Found", .location = "http://example.invalid/m" } };
  const HttpAnswer circle[] = { { .status = "302 Found", .location = "/again" } };
  Fixture self = { 0 };

  for (gsize i = 0; i < G_N_ELEMENTS (refused); i++) {
    g_autoptr (FacetDownload) download = facet_download_new (refused[i], "/nonexistent/m", 0, NULL);

    facet_download_start (download);
    g_assert_cmpint (facet_download_get_state (download), ==, FACET_DOWNLOAD_FAILED);
  }
  begin (&self, redirect, 1, 0, NULL);
  g_assert_cmpint (run (&self), ==, FACET_DOWNLOAD_FAILED);
  g_assert_cmpuint (self.http.requests, ==, 1);
  end (&self);
  begin (&self, circle, 1, 0, NULL);
  g_assert_cmpint (run (&self), ==, FACET_DOWNLOAD_FAILED);
  g_assert_cmpuint (self.http.requests, <, 20);
  end (&self);
}

static void
test_redirect_is_followed (void)
{
  const HttpAnswer answers[] = { { .status = "307 Elsewhere", .location = "/other?token=secret" }, { 0 } };
  FacetActivityLog *log = facet_activity_log_get_default ();
  gboolean seen = FALSE;
  Fixture self = { 0 };

  begin (&self, answers, 2, 0, NULL);
  g_assert_cmpint (run (&self), ==, FACET_DOWNLOAD_DONE);
  assert_file (&self, 0);
  while (g_main_context_iteration (NULL, FALSE));
  for (guint i = 0; i < g_list_model_get_n_items (G_LIST_MODEL (log)); i++) {
    g_autoptr (FacetActivity) activity = g_list_model_get_item (G_LIST_MODEL (log), i);

    g_assert_null (strstr (facet_activity_get_target (activity), "secret"));
    seen = seen || g_str_has_suffix (facet_activity_get_target (activity), "/other");
  }
  g_assert_true (seen);
  end (&self);
}

static void
test_refusals_are_final (void)
{
  static const char *const statuses[] = { "404 Not Found", "403 Forbidden", "401 Unauthorized", "418 Teapot" };

  for (gsize i = 0; i < G_N_ELEMENTS (statuses); i++) {
    const HttpAnswer answers[] = { { .status = statuses[i] } };
    Fixture self = { 0 };

    begin (&self, answers, 1, 0, NULL);
    g_assert_cmpint (run (&self), ==, FACET_DOWNLOAD_FAILED);
    g_assert_cmpuint (self.http.requests, ==, 1);
    end (&self);
  }
}

static void
test_existing_file_is_kept (void)
{
  const HttpAnswer answers[] = { { 0 } };
  Fixture self = { 0 };
  g_autofree char *folder = NULL;
  g_autofree char *text = NULL;

  begin (&self, answers, 1, 0, NULL);
  folder = g_path_get_dirname (self.target);
  g_mkdir_with_parents (folder, 0700);
  g_assert_true (g_file_set_contents (self.target, "mine", 4, NULL));
  g_assert_cmpint (run (&self), ==, FACET_DOWNLOAD_FAILED);
  g_assert_true (g_file_get_contents (self.target, &text, NULL, NULL));
  g_assert_cmpstr (text, ==, "mine");
  end (&self);
}

static void
test_no_room (void)
{
  const HttpAnswer answers[] = { { .claim = G_GINT64_CONSTANT (1) << 60 } };
  Fixture self = { 0 };

  begin (&self, answers, 1, 0, NULL);
  g_assert_cmpint (run (&self), ==, FACET_DOWNLOAD_FAILED);
  g_assert_nonnull (strstr (facet_download_get_message (self.download), "space"));
  g_assert_cmpuint (self.http.requests, ==, 1);
  end (&self);
}

static void
test_discard (void)
{
  const HttpAnswer answers[] = { { 0 } };
  Fixture self = { 0 };

  begin (&self, answers, 1, 0, NULL);
  pause_at (&self, 500000);
  g_assert_true (facet_download_has_part (self.target));
  facet_download_discard (self.download);
  g_assert_false (facet_download_has_part (self.target));
  g_assert_cmpuint (facet_download_get_received (self.download), ==, 0);
  end (&self);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/download/whole", test_whole);
  g_test_add_func ("/download/cut-connections-go-on", test_cut_connections_go_on);
  g_test_add_func ("/download/dead-server-is-given-up", test_dead_server_is_given_up);
  g_test_add_func ("/download/unreachable", test_unreachable);
  g_test_add_func ("/download/pause-and-restart-of-the-program", test_pause_and_restart_of_the_program);
  g_test_add_func ("/download/many-pauses", test_many_pauses);
  g_test_add_func ("/download/changed-meanwhile", test_changed_meanwhile);
  g_test_add_func ("/download/range-ignored", test_range_ignored);
  g_test_add_func ("/download/wrong-range-starts-anew", test_wrong_range_starts_anew);
  g_test_add_func ("/download/lies-about-length", test_lies_about_length);
  g_test_add_func ("/download/unknown-length-cut-is-noticed", test_unknown_length_cut_is_noticed);
  g_test_add_func ("/download/wrong-checksum-leaves-nothing", test_wrong_checksum_leaves_nothing);
  g_test_add_func ("/download/not-a-model", test_not_a_model);
  g_test_add_func ("/download/unsafe-addresses", test_unsafe_addresses);
  g_test_add_func ("/download/redirect-is-followed", test_redirect_is_followed);
  g_test_add_func ("/download/refusals-are-final", test_refusals_are_final);
  g_test_add_func ("/download/existing-file-is-kept", test_existing_file_is_kept);
  g_test_add_func ("/download/no-room", test_no_room);
  g_test_add_func ("/download/discard", test_discard);
  return g_test_run ();
}
