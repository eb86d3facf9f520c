/* The window over the engine itself and the real Gemma 3 270M. Skipped when
 * FACET_TEST_MODEL names no file. */
#include <adwaita.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ui-fixture.h"

static gboolean
has_words (Fixture *self)
{
  return facet_message_is_answer (fixture_last (self)) && strlen (facet_message_get_text (fixture_last (self))) > 8;
}

static gboolean
is_running (Fixture *self)
{
  return facet_engine_service_get_state (self->service) == FACET_ENGINE_ANSWERING;
}

static void
test_ask (Fixture *self, gconstpointer data)
{
  fixture_ask (self, "What is the capital of France?");
  fixture_wait (fixture_idle, self);
  g_assert_cmpint (facet_message_get_status (fixture_last (self)), ==, FACET_MESSAGE_DONE);
  g_assert_nonnull (strstr (facet_message_get_text (fixture_last (self)), "Paris"));
  g_assert_nonnull (strstr (facet_message_get_record (fixture_last (self))->stats, "generated_tokens"));
}

static void
test_stop (Fixture *self, gconstpointer data)
{
  gint64 asked;

  fixture_ask (self, "Write a very long story about a lighthouse.");
  fixture_wait (has_words, self);
  if (!is_running (self)) {
    g_test_skip ("the answer was too short to be stopped");
    return;
  }
  asked = g_get_monotonic_time ();
  gtk_widget_activate_action (GTK_WIDGET (self->window), "win.stop", NULL);
  fixture_wait (fixture_idle, self);
  g_test_message ("stopped after %.0f ms", (g_get_monotonic_time () - asked) / 1000.0);
  g_assert_cmpint (g_get_monotonic_time () - asked, <, 200000);
}

static void
test_regenerate (Fixture *self, gconstpointer data)
{
  fixture_ask (self, "Name one colour.");
  fixture_wait (fixture_idle, self);
  gtk_widget_activate_action (GTK_WIDGET (self->window), "chat.regenerate", "x", facet_message_get_id (fixture_last (self)));
  fixture_wait (fixture_idle, self);
  g_assert_cmpuint (facet_message_get_record (fixture_last (self))->sibling_count, ==, 2);
  g_assert_cmpuint (strlen (facet_message_get_text (fixture_last (self))), >, 0);
}

/* With tools on offer a small base model answers or calls; either way it comes
 * to its end, and what it called was answered. */
static void
test_tools (Fixture *self, gconstpointer data)
{
  const GPtrArray *calls;

  g_assert_true (facet_conversation_set_tools (self->window->conversation, TRUE, NULL));
  fixture_ask (self, "What is 12 times 12? Use the calculator.");
  fixture_wait (fixture_idle, self);
  calls = facet_message_get_calls (fixture_last (self));
  g_test_message ("%u calls, “%s”", calls->len, facet_message_get_text (fixture_last (self)));
  g_assert_cmpint (facet_message_get_status (fixture_last (self)), ==, FACET_MESSAGE_DONE);
  for (guint i = 0; i < calls->len; i++)
    g_assert_cmpint (((const FacetCallRecord *) calls->pdata[i])->state, !=, FACET_CALL_OPEN);
}

/* The meter counts what the tools cost. */
static gboolean
is_counted (Fixture *self)
{
  return self->window->count_job == 0 && self->window->count_timer == 0;
}

static int
meter (Fixture *self)
{
  GtkLabel *label = GTK_LABEL (gtk_widget_get_template_child (GTK_WIDGET (self->window->composer), FACET_TYPE_COMPOSER, "meter"));

  fixture_wait (is_counted, self);
  return atoi (gtk_label_get_text (label));
}

static void
test_meter (Fixture *self, gconstpointer data)
{
  int plain, with_tools;

  facet_composer_set_text (self->window->composer, "What is 12 times 12?");
  plain = meter (self);
  g_assert_cmpint (plain, >, 5);
  g_assert_true (facet_conversation_set_tools (self->window->conversation, TRUE, NULL));
  with_tools = meter (self);
  g_test_message ("%d tokens, %d with tools", plain, with_tools);
  g_assert_cmpint (with_tools, >, plain + 50);
}

/* A graphics device that is gone is told of, and the model answers all the same. */
static void
test_missing_device (Fixture *self, gconstpointer data)
{
  FacetLoadSpec spec = { .path = (char *) data, .device = (char *) "A Card <b>of</b> Yesterday" };

  g_assert_false (gtk_revealer_get_reveal_child (self->window->notice));
  facet_engine_service_load (self->service, &spec);
  fixture_wait (fixture_idle, self);
  g_assert_true (gtk_revealer_get_reveal_child (self->window->notice));
  g_assert_cmpstr (gtk_label_get_text (self->window->notice_label), ==,
                   "The graphics device “A Card <b>of</b> Yesterday” is not there; Facet has chosen by itself what computes.");
  test_ask (self, data);
}

/* The settings may ask for more than a model can see: then it is all that it can. */
static void
test_long_context (Fixture *self, gconstpointer data)
{
  FacetLoadSpec spec = { .path = (char *) data, .context = 131072 };

  facet_engine_service_load (self->service, &spec);
  fixture_wait (fixture_idle, self);
  g_assert_cmpint (facet_engine_service_get_loaded (self->service)->context, ==, 32768);
  test_ask (self, data);
}

static gboolean
has_failed_to_load (Fixture *self)
{
  return facet_engine_service_get_state (self->service) == FACET_ENGINE_EMPTY;
}

/* The model's file is cut in the middle of an answer: what was said stays, the
 * window says what happened, and goes on once there is a model again. */
static void
test_model_cut (Fixture *self, gconstpointer data)
{
  g_autofree char *path = g_build_filename (self->folder, "cut.gguf", NULL);
  g_autoptr (GFile) from = g_file_new_for_path (data), to = g_file_new_for_path (path);
  FacetLoadSpec spec = { .path = path };

  g_assert_true (g_file_copy (from, to, G_FILE_COPY_NONE, NULL, NULL, NULL, NULL));
  facet_engine_service_load (self->service, &spec);
  fixture_wait (fixture_idle, self);
  fixture_ask (self, "Write a very long story about a lighthouse.");
  fixture_wait (has_words, self);
  g_assert_cmpint (truncate (path, 1 << 20), ==, 0);
  fixture_wait (has_failed_to_load, self);
  g_assert_cmpint (facet_message_get_status (fixture_last (self)), ==, FACET_MESSAGE_FAILED);
  g_assert_cmpuint (strlen (facet_message_get_text (fixture_last (self))), >, 8);
  g_assert_nonnull (strstr (facet_message_get_record (fixture_last (self))->failure, "changed while it was in use"));
  g_assert_true (gtk_revealer_get_reveal_child (self->window->loading));
  g_assert_cmpuint (facet_conversation_get_length (self->window->conversation), ==, 2);
  spec.path = (char *) data;
  facet_engine_service_load (self->service, &spec);
  fixture_wait (fixture_idle, self);
  test_ask (self, data);
}

int
main (int argc, char *argv[])
{
  const char *model = g_getenv ("FACET_TEST_MODEL");

  gtk_disable_setlocale ();
  setlocale (LC_ALL, "C.UTF-8");
  if (model == NULL || !gtk_init_check ()) {
    g_print ("1..0 # SKIP FACET_TEST_MODEL names no file, or no display\n");
    return 0;
  }
  g_test_init (&argc, &argv, NULL);
  adw_init ();
#define ADD(name, func) g_test_add ("/window-real/" name, Fixture, model, fixture_set_up, func, fixture_tear_down)
  ADD ("ask", test_ask);
  ADD ("stop", test_stop);
  ADD ("regenerate", test_regenerate);
  ADD ("meter", test_meter);
  ADD ("tools", test_tools);
  ADD ("missing-device", test_missing_device);
  ADD ("long-context", test_long_context);
  ADD ("model-cut", test_model_cut);
  return g_test_run ();
}
