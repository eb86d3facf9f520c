/* Tools and thoughts in the window: what is run, what is asked about, what is shown and kept, and what never mixes with an answer. */
#include <adwaita.h>
#include <string.h>

#include "facet-toolbox.h"
#include "service/facet-error-text.h"
#include "settings/facet-activity-log.h"
#include "ui-fixture.h"
#include "widget-picture.h"

static const FacetCallRecord *
call (Fixture *self, guint index)
{
  const GPtrArray *calls = facet_message_get_calls (fixture_last (self));

  g_assert_cmpuint (index, <, calls->len);
  return calls->pdata[index];
}

/* The first widget of @type below @widget that shows @text. */
static GtkWidget *
find (GtkWidget *widget, GType type, const char *text)
{
  if (G_TYPE_CHECK_INSTANCE_TYPE (widget, type) && gtk_widget_get_mapped (widget)) {
    g_autofree char *shown = NULL;

    if (GTK_IS_TEXT_VIEW (widget))
      g_object_get (gtk_text_view_get_buffer (GTK_TEXT_VIEW (widget)), "text", &shown, NULL);
    else if (GTK_IS_LABEL (widget))
      shown = g_strdup (gtk_label_get_text (GTK_LABEL (widget)));
    if (shown == NULL || strstr (shown, text) != NULL)
      return widget;
  }
  for (GtkWidget *child = gtk_widget_get_first_child (widget); child != NULL; child = gtk_widget_get_next_sibling (child)) {
    GtkWidget *found = find (child, type, text);

    if (found != NULL)
      return found;
  }
  return NULL;
}

static void
offer_tools (Fixture *self, const ScriptCall *calls, guint n)
{
  self->script.calls = calls;
  self->script.n_calls = n;
  self->script.n_called = 0;
  g_assert_true (facet_conversation_set_tools (self->window->conversation, TRUE, NULL));
}

static gboolean
has_question (Fixture *self)
{
  return self->window->question != NULL;
}

static AdwMessageDialog *
wait_for_question (Fixture *self)
{
  fixture_wait (has_question, self);
  settle (200);
  return ADW_MESSAGE_DIALOG (self->window->question);
}

static void
finish (Fixture *self)
{
  fixture_wait (fixture_idle, self);
  settle (100);
}

static char *
note (Fixture *self)
{
  g_autofree char *path = g_build_filename (self->folder, "note.txt", NULL);

  g_assert_true (g_file_set_contents (path, "Buy milk.", -1, NULL));
  return g_strdup_printf ("{\"path\":\"%s\"}", path);
}

static const ScriptCall sum = { "calculator", "{\"expression\":\"6*7\"}" };

/* What is harmless runs unasked, stands apart, and goes back to the model. */
static void
test_harmless (Fixture *self, gconstpointer data)
{
  g_autofree char *copied = NULL;
  GtkWidget *row;
  gint64 chat;

  self->script.answer = "It is 42.";
  offer_tools (self, &sum, 1);
  fixture_ask (self, "What is six times seven?");
  finish (self);
  g_assert_false (has_question (self));
  g_assert_cmpstr (self->script.asked->str, ==,
                   "tools: 4\nuser: What is six times seven?\n"
                   "model: <call calculator {\"expression\":\"6*7\"}> <result calculator 42>\n");
  g_assert_cmpint (call (self, 0)->state, ==, FACET_CALL_DONE);
  g_assert_cmpstr (call (self, 0)->result, ==, "42");
  g_assert_cmpstr (facet_message_get_text (fixture_last (self)), ==, "It is 42.");

  row = gtk_widget_get_ancestor (find (GTK_WIDGET (self->window), GTK_TYPE_LABEL, "Calculator"), GTK_TYPE_EXPANDER);
  g_assert_nonnull (find (row, GTK_TYPE_LABEL, "42"));
  g_assert_null (find (row, GTK_TYPE_LABEL, "6*7"));
  gtk_expander_set_expanded (GTK_EXPANDER (row), TRUE);
  settle (300);
  g_assert_nonnull (find (row, GTK_TYPE_LABEL, "6*7"));
    fixture_picture (self, "tool-used");

  /* copies hold the answer alone; the chat keeps all of it */
  gtk_widget_activate_action (GTK_WIDGET (self->window), "win.copy-last", NULL);
  {
    g_auto (GValue) value = G_VALUE_INIT;

    g_value_init (&value, G_TYPE_STRING);
    g_assert_true (gdk_content_provider_get_value (
      gdk_clipboard_get_content (gtk_widget_get_clipboard (GTK_WIDGET (self->window))), &value, NULL));
    copied = g_value_dup_string (&value);
  }
  g_assert_cmpstr (copied, ==, "It is 42.");
  chat = facet_conversation_get_chat_id (self->window->conversation);
  gtk_widget_activate_action (GTK_WIDGET (self->window), "win.new-chat", NULL);
  facet_window_open_chat (self->window, chat);
  g_assert_cmpstr (call (self, 0)->result, ==, "42");
  fixture_ask (self, "Thanks");
  finish (self);
  g_assert_nonnull (strstr (self->script.asked->str, "model: <call calculator {\"expression\":\"6*7\"}> <result calculator 42> It is 42.\n"));
}

/* What is long scrolls in a view that lays out what is seen of it. */
static void
test_long_result (Fixture *self, gconstpointer data)
{
  g_autofree char *path = g_build_filename (self->folder, "long.txt", NULL), *words = g_strnfill (60000, 'w');
  g_autofree char *arguments = g_strdup_printf ("{\"path\":\"%s\"}", path);
  const ScriptCall read = { "read_file", arguments };
  GtkWidget *row;

  g_assert_true (g_file_set_contents (path, words, -1, NULL));
  offer_tools (self, &read, 1);
  fixture_ask (self, "Read it");
  adw_message_dialog_response (wait_for_question (self), "once");
  finish (self);
  row = gtk_widget_get_ancestor (find (GTK_WIDGET (self->window), GTK_TYPE_LABEL, "File Reader"), GTK_TYPE_EXPANDER);
  gtk_expander_set_expanded (GTK_EXPANDER (row), TRUE);
  settle (300);
  g_assert_nonnull (find (row, GTK_TYPE_TEXT_VIEW, words));
  g_assert_cmpint (gtk_widget_get_height (row), <, 400);
}

/* Off, nothing is offered. */
static void
test_off (Fixture *self, gconstpointer data)
{
  self->script.calls = &sum;
  self->script.n_calls = 1;
  fixture_ask (self, "What is six times seven?");
  finish (self);
  g_assert_cmpstr (self->script.asked->str, ==, "user: What is six times seven?\n");
  g_assert_cmpuint (self->script.n_called, ==, 0);
}

static void
test_deny (Fixture *self, gconstpointer data)
{
  g_autofree char *arguments = note (self);
  const ScriptCall calls[] = { { "read_file", arguments }, { "read_file", arguments } };
  AdwMessageDialog *dialog;

  self->script.answer = "Then I cannot tell.";
  offer_tools (self, calls, 2);
  fixture_ask (self, "What must I buy?");
  dialog = wait_for_question (self);
  g_assert_cmpstr (adw_message_dialog_get_heading (dialog), ==, "Allow “File Reader”?");
  g_assert_nonnull (strstr (adw_message_dialog_get_body (dialog), "note.txt"));
  g_assert_nonnull (find (GTK_WIDGET (dialog), GTK_TYPE_LABEL, "{\"path\""));
  g_assert_cmpstr (adw_message_dialog_get_default_response (dialog), ==, "deny");
  g_assert_nonnull (find (GTK_WIDGET (self->window), GTK_TYPE_LABEL, "Waiting for your decision…"));
  widget_picture (GTK_WIDGET (dialog), "tool-question", 300);
  adw_message_dialog_response (dialog, "deny");
  finish (self);

  /* the model went on without; the same was not asked a second time */
  g_assert_cmpuint (self->script.n_called, ==, 2);
  g_assert_cmpint (call (self, 0)->state, ==, FACET_CALL_DENIED);
  g_assert_cmpint (call (self, 1)->state, ==, FACET_CALL_DENIED);
  g_assert_nonnull (strstr (self->script.asked->str, "<result read_file The person did not allow this.>"));
  g_assert_null (strstr (self->script.asked->str, "milk"));
  g_assert_cmpstr (facet_message_get_text (fixture_last (self)), ==, "Then I cannot tell.");
  g_assert_nonnull (find (GTK_WIDGET (self->window), GTK_TYPE_LABEL, "Not allowed"));
}

/* What was opened stands on the page of privacy. */
static gboolean
was_opened (FacetActivityKind kind, const char *part)
{
  GListModel *log = G_LIST_MODEL (facet_activity_log_get_default ());

  for (guint i = 0; i < g_list_model_get_n_items (log); i++) {
    g_autoptr (FacetActivity) activity = g_list_model_get_item (log, i);

    if (facet_activity_get_kind (activity) == kind && strstr (facet_activity_get_target (activity), part) != NULL)
      return TRUE;
  }
  return FALSE;
}

/* The page is told when there is time for it. */
static gboolean
note_was_read (Fixture *self)
{
  return was_opened (FACET_ACTIVITY_READ, "note.txt");
}

static gboolean
command_was_run (Fixture *self)
{
  return was_opened (FACET_ACTIVITY_RUN, "'sleep' '20'");
}

static void
test_allow (Fixture *self, gconstpointer data)
{
  g_autofree char *arguments = note (self);
  const ScriptCall read = { "read_file", arguments };

  self->script.answer = "Milk.";
  offer_tools (self, &read, 1);
  fixture_ask (self, "What must I buy?");
  adw_message_dialog_response (wait_for_question (self), "once");
  finish (self);
  g_assert_cmpstr (call (self, 0)->result, ==, "Buy milk.");
  fixture_wait (note_was_read, self);

  /* once is once; always holds for this chat, and no other */
  offer_tools (self, &read, 1);
  fixture_ask (self, "And now?");
  adw_message_dialog_response (wait_for_question (self), "always");
  finish (self);
  offer_tools (self, &read, 1);
  fixture_ask (self, "And now?");
  finish (self);
  g_assert_cmpint (call (self, 0)->state, ==, FACET_CALL_DONE);
  gtk_widget_activate_action (GTK_WIDGET (self->window), "win.new-chat", NULL);
  offer_tools (self, &read, 1);
  fixture_ask (self, "And here?");
  adw_message_dialog_response (wait_for_question (self), "deny");
  finish (self);
}

/* Also after a restart, until it is taken back beside the message. */
static void
test_ask_again (Fixture *self, gconstpointer data)
{
  g_autofree char *arguments = note (self);
  const ScriptCall read = { "read_file", arguments };
  FacetComposer *composer = self->window->composer;

  offer_tools (self, &read, 1);
  fixture_ask (self, "What must I buy?");
  adw_message_dialog_response (wait_for_question (self), "always");
  finish (self);
  g_signal_emit_by_name (composer, "choice", "ask-again", TRUE);
  offer_tools (self, &read, 1);
  fixture_ask (self, "And now?");
  adw_message_dialog_response (wait_for_question (self), "deny");
  finish (self);
  g_assert_cmpint (call (self, 0)->state, ==, FACET_CALL_DENIED);
}

static void
test_stop (Fixture *self, gconstpointer data)
{
  g_autofree char *arguments = note (self);
  const ScriptCall read = { "read_file", arguments };

  offer_tools (self, &read, 1);
  fixture_ask (self, "What must I buy?");
  wait_for_question (self);
  gtk_widget_activate_action (GTK_WIDGET (self->window), "win.stop", NULL);
  g_assert_false (facet_replier_is_running (self->window->replier));
  g_assert_null (self->window->question);
  g_assert_cmpint (facet_message_get_status (fixture_last (self)), ==, FACET_MESSAGE_STOPPED);
  g_assert_cmpint (call (self, 0)->state, ==, FACET_CALL_STOPPED);

  /* and the chat goes on; what the question was about was not done */
  fixture_ask (self, "Never mind");
  finish (self);
  g_assert_nonnull (strstr (self->script.asked->str, "<result read_file The person stopped this.>"));
}

/* A stopped answer goes on where it was; calls that follow are a round of their own. */
static void
test_continue (Fixture *self, gconstpointer data)
{
  g_autofree char *arguments = note (self);
  const ScriptCall read = { "read_file", arguments };

  self->script.answer = "It is 42.";
  offer_tools (self, &read, 1);
  fixture_ask (self, "What must I buy?");
  wait_for_question (self);
  gtk_widget_activate_action (GTK_WIDGET (self->window), "win.stop", NULL);
  offer_tools (self, &sum, 1);
  gtk_widget_activate_action (GTK_WIDGET (self->window), "chat.continue", "x", facet_message_get_id (fixture_last (self)));
  finish (self);
  g_assert_cmpint (facet_message_get_status (fixture_last (self)), ==, FACET_MESSAGE_DONE);
  g_assert_cmpuint (facet_message_get_calls (fixture_last (self))->len, ==, 2);
  g_assert_nonnull (strstr (self->script.asked->str, "<result read_file The person stopped this.> <call calculator"));
  g_assert_cmpstr (facet_message_get_text (fixture_last (self)), ==, "It is 42.");
}

/* A command that takes its time ends with the answer. */
static void
test_stop_command (Fixture *self, gconstpointer data)
{
  static const char json[] = "{\"tools\":[{\"name\":\"wait\",\"description\":\"Waits.\",\"command\":[\"sleep\",\"20\"]}]}";
  static const ScriptCall waits = { "wait", "{}" };
  g_autofree char *path = g_build_filename (self->folder, "tools.json", NULL);
  gint64 asked;

  g_assert_true (g_file_set_contents (path, json, -1, NULL));
  g_settings_set_string (self->settings, "tools-file", path);
  offer_tools (self, &waits, 1);
  fixture_ask (self, "Wait");
  g_assert_nonnull (strstr (adw_message_dialog_get_body (wait_for_question (self)), "'sleep' '20'"));
  adw_message_dialog_response (ADW_MESSAGE_DIALOG (self->window->question), "once");
  settle (200);
  g_assert_nonnull (find (GTK_WIDGET (self->window), GTK_TYPE_LABEL, "Using wait…"));
  fixture_wait (command_was_run, self);
  asked = g_get_monotonic_time ();
  gtk_widget_activate_action (GTK_WIDGET (self->window), "win.stop", NULL);
  finish (self);
  g_assert_cmpint (g_get_monotonic_time () - asked, <, 2 * G_USEC_PER_SEC);
  g_assert_cmpint (call (self, 0)->state, ==, FACET_CALL_STOPPED);
}

static void
test_close (Fixture *self, gconstpointer data)
{
  g_autofree char *arguments = note (self);
  const ScriptCall read = { "read_file", arguments };
  g_autoptr (GPtrArray) branch = NULL;
  const FacetStoreMessage *answer;
  gint64 chat;

  offer_tools (self, &read, 1);
  fixture_ask (self, "What must I buy?");
  wait_for_question (self);
  chat = facet_conversation_get_chat_id (self->window->conversation);
  g_object_ref (self->window);
  gtk_window_destroy (GTK_WINDOW (self->window));
  g_object_run_dispose (G_OBJECT (self->window));
  g_object_unref (self->window);
  settle (100);
  branch = facet_store_get_branch (self->store, chat, NULL);
  answer = branch->pdata[1];
  g_assert_cmpint (answer->status, ==, FACET_MESSAGE_STOPPED);
  g_assert_nonnull (strstr (answer->calls, "\"stopped\""));
  self->window = facet_window_new (NULL, self->store, self->service, self->library, self->settings);
}

/* Nothing that a model writes looks like something else. */
static void
test_plain_text (Fixture *self, gconstpointer data)
{
  static const ScriptCall sly = { "read_file", "{\"path\":\"<b>/etc</b>\xe2\x80\xae/drowssap\"}" };
  AdwMessageDialog *dialog;

  offer_tools (self, &sly, 1);
  fixture_ask (self, "Go");
  dialog = wait_for_question (self);
  g_assert_nonnull (strstr (adw_message_dialog_get_body (dialog), "<b>/etc</b>\\u{202E}/drowssap"));
  g_assert_false (adw_message_dialog_get_body_use_markup (dialog));
  g_assert_false (adw_message_dialog_get_heading_use_markup (dialog));
  g_assert_nonnull (find (GTK_WIDGET (dialog), GTK_TYPE_LABEL, "drowssap\"}"));
  adw_message_dialog_response (dialog, "deny");
  finish (self);
}

/* A model that never stops calling must answer in the end. */
static void
test_rounds (Fixture *self, gconstpointer data)
{
  ScriptCall calls[20];

  for (guint i = 0; i < G_N_ELEMENTS (calls); i++)
    calls[i] = sum;
  offer_tools (self, calls, G_N_ELEMENTS (calls));
  fixture_ask (self, "Go on");
  finish (self);
  g_assert_cmpuint (self->script.n_called, ==, FACET_TOOLBOX_MAX_ROUNDS - 1);
  g_assert_cmpstr (facet_message_get_text (fixture_last (self)), ==, "A short answer.");
}

static void
test_broken_file (Fixture *self, gconstpointer data)
{
  g_autofree char *path = g_build_filename (self->folder, "tools.json", NULL);

  g_assert_true (g_file_set_contents (path, "{}", -1, NULL));
  g_settings_set_string (self->settings, "tools-file", path);
  offer_tools (self, &sum, 1);
  fixture_ask (self, "What is six times seven?");
  finish (self);
  g_assert_cmpuint (self->script.n_called, ==, 0);
  g_assert_nonnull (find (GTK_WIDGET (self->window), GTK_TYPE_LABEL, "The file with your own tools cannot be used."));
}

/* ---- thoughts ----------------------------------------------------------- */

static void
load (Fixture *self, gboolean thinks)
{
  FacetLoadSpec spec = { .path = (char *) "model.gguf" };

  self->script.thinks = thinks;
  facet_engine_service_load (self->service, &spec);
  finish (self);
}

static gboolean
has_title (Fixture *self)
{
  return self->window->title_job == 0;
}

static gboolean
has_thoughts (Fixture *self)
{
  return fixture_last (self) != NULL && *facet_message_get_thoughts (fixture_last (self)) != '\0';
}

static void
test_thoughts (Fixture *self, gconstpointer data)
{
  GtkWidget *fold;

  load (self, TRUE);
  self->script.thoughts = "A lens is glass. Glass slows light.";
  self->script.answer = "It bends light.";
  self->script.delay_usec = 100000;
  g_assert_true (facet_conversation_set_thinking (self->window->conversation, TRUE, NULL));
  fixture_ask (self, "What does a lens do?");
  fixture_wait (has_thoughts, self);
  settle (50);
  fold = gtk_widget_get_ancestor (find (GTK_WIDGET (self->window), GTK_TYPE_LABEL, "Thinking…"), GTK_TYPE_EXPANDER);
  g_assert_nonnull (fold);
  finish (self);
  g_assert_cmpstr (gtk_expander_get_label (GTK_EXPANDER (fold)), ==, "Thoughts");
  g_assert_true (g_str_has_prefix (self->script.asked->str, "thinking\n"));
  g_assert_cmpstr (facet_message_get_text (fixture_last (self)), ==, "It bends light.");
  g_assert_cmpstr (facet_message_get_thoughts (fixture_last (self)), ==, self->script.thoughts);
  gtk_expander_set_expanded (GTK_EXPANDER (fold), TRUE);
  settle (300);
  fixture_picture (self, "thinking");

  /* thoughts are no part of what follows, nor of a title */
  self->script.answer = "Lenses";
  offer_tools (self, &sum, 1);
  gtk_widget_activate_action (GTK_WIDGET (self->window), "win.suggest-title", NULL);
  fixture_wait (has_title, self);
  g_assert_cmpstr (adw_window_title_get_title (self->window->title), ==, "Lenses");
  g_assert_true (g_str_has_prefix (self->script.asked->str, "user: "));
  g_assert_null (strstr (self->script.asked->str, "Glass"));
}

static void
test_no_thoughts (Fixture *self, gconstpointer data)
{
  load (self, FALSE);
  self->script.thoughts = "Hm.";
  g_assert_true (facet_conversation_set_thinking (self->window->conversation, TRUE, NULL));
  fixture_ask (self, "What does a lens do?");
  finish (self);
  g_assert_cmpstr (self->script.asked->str, ==, "user: What does a lens do?\n");
  g_assert_cmpstr (facet_message_get_thoughts (fixture_last (self)), ==, "");
}

/* ---- the backend -------------------------------------------------------- */

/* All of them in turn; a new one does not compile until it stands here, too. */
#pragma GCC diagnostic push
#pragma GCC diagnostic error "-Wswitch"
static FacetNotice
next_notice (FacetNotice notice)
{
  switch (notice) {
  case FACET_NOTICE_NONE:
    return FACET_NOTICE_CPU_INSTEAD;
  case FACET_NOTICE_CPU_INSTEAD:
    return FACET_NOTICE_DEVICE_LOST;
  case FACET_NOTICE_DEVICE_LOST:
    return FACET_NOTICE_SPLIT;
  case FACET_NOTICE_SPLIT:
    break;
  }
  return FACET_NOTICE_NONE;
}
#pragma GCC diagnostic pop

/* Each notice has a sentence of its own, which stays until it is dismissed. */
static void
test_notice (Fixture *self, gconstpointer data)
{
  g_autoptr (GHashTable) told = g_hash_table_new (g_str_hash, g_str_equal);

  g_assert_null (facet_notice_text (FACET_NOTICE_NONE));
  for (FacetNotice notice = FACET_NOTICE_CPU_INSTEAD; notice != FACET_NOTICE_NONE; notice = next_notice (notice)) {
    const char *sentence = facet_notice_text (notice);

    g_assert_nonnull (sentence);
    g_assert_true (g_hash_table_add (told, (gpointer) sentence));
    self->script.notice = notice;
    fixture_ask (self, "Question");
    finish (self);
    g_assert_true (gtk_revealer_get_reveal_child (self->window->notice));
    g_assert_cmpstr (gtk_label_get_text (self->window->notice_label), ==, sentence);
    g_signal_emit_by_name (self->window->notice_close, "clicked");
    g_assert_false (gtk_revealer_get_reveal_child (self->window->notice));
  }
  self->script.notice = FACET_NOTICE_SPLIT;
  fixture_ask (self, "Question");
  finish (self);
  settle (300);
  fixture_picture (self, "notice");
}

int
main (int argc, char *argv[])
{
#define ADD(name, func) g_test_add ("/window-tools/" name, Fixture, NULL, fixture_set_up, func, fixture_tear_down)
  if (!fixture_start (&argc, &argv))
    return 0;
  ADD ("harmless", test_harmless);
  ADD ("long-result", test_long_result);
  ADD ("off", test_off);
  ADD ("deny", test_deny);
  ADD ("allow", test_allow);
  ADD ("ask-again", test_ask_again);
  ADD ("stop", test_stop);
  ADD ("continue", test_continue);
  ADD ("stop-command", test_stop_command);
  ADD ("close", test_close);
  ADD ("plain-text", test_plain_text);
  ADD ("rounds", test_rounds);
  ADD ("broken-file", test_broken_file);
  ADD ("thoughts", test_thoughts);
  ADD ("no-thoughts", test_no_thoughts);
  ADD ("notice", test_notice);
  return g_test_run ();
}
