/* What belongs to messages and chats beside their words. */
#include <adwaita.h>
#include <glib/gstdio.h>
#include <string.h>

#include "chat/facet-link.h"
#include "chat/facet-message-row.h"
#include "composer/facet-composer-private.h"
#include "ui-fixture.h"
#include "widget-find.h"
#include "widget-picture.h"

static gint64
chat_id (Fixture *self)
{
  return facet_conversation_get_chat_id (self->window->conversation);
}

static gboolean
is_titled (GtkWidget *expander, const char *title)
{
  return gtk_widget_get_visible (expander) && g_strcmp0 (gtk_expander_get_label (GTK_EXPANDER (expander)), title) == 0;
}

static gboolean
is_alert (GtkWidget *label, const char *text)
{
  return gtk_accessible_get_accessible_role (GTK_ACCESSIBLE (label)) == GTK_ACCESSIBLE_ROLE_ALERT && widget_shows (label, text);
}

static GtkWidget *
window (Fixture *self)
{
  return GTK_WIDGET (self->window);
}

static void
test_thoughts (Fixture *self, gconstpointer data)
{
  FacetStoreMessage answer = { .role = FACET_STORE_ROLE_MODEL, .status = FACET_MESSAGE_DONE,
                               .text = (char *) "It bends light.",
                               .thinking = (char *) "First I recall what a lens is.\nThen I check the sign." };
  GtkWidget *fold;

  answer.chat_id = facet_store_add_chat (self->store, "Lens", NULL);
  g_assert_cmpint (facet_store_add_message (self->store, &answer, NULL), >, 0);
  facet_window_open_chat (self->window, answer.chat_id);
  settle (100);

  /* folded away until somebody looks */
  fold = widget_find (window (self), GTK_TYPE_EXPANDER, is_titled, "Thoughts");
  g_assert_nonnull (fold);
  g_assert_false (gtk_expander_get_expanded (GTK_EXPANDER (fold)));
  gtk_expander_set_expanded (GTK_EXPANDER (fold), TRUE);
  settle (300);
  g_assert_nonnull (widget_find (fold, GTK_TYPE_LABEL, widget_shows, "check the sign"));
  fixture_picture (self, "thoughts");
  gtk_widget_activate_action (window (self), "win.new-chat", NULL);
  g_assert_null (widget_find (window (self), GTK_TYPE_EXPANDER, is_titled, "Thoughts"));
}

/* The sentence for people, and the engine's own words folded away. */
static void
test_failure_details (Fixture *self, gconstpointer data)
{
  GtkWidget *fold;

  self->script.fail = FACET_ERROR_DEVICE + 1;
  fixture_ask_and_wait (self, "Question");
  g_assert_nonnull (widget_find (window (self), GTK_TYPE_LABEL, widget_shows, "graphics device failed"));
  g_assert_null (widget_find (window (self), GTK_TYPE_LABEL, widget_shows, "told to fail"));
  fold = widget_find (window (self), GTK_TYPE_EXPANDER, is_titled, "Details");
  gtk_expander_set_expanded (GTK_EXPANDER (fold), TRUE);
  settle (300);
  g_assert_nonnull (widget_find (fold, GTK_TYPE_LABEL, widget_shows, "told to fail"));
  fixture_picture (self, "failure-details");

  self->script.fail = 0;
  gtk_widget_activate_action (window (self), "chat.regenerate", "x", facet_message_get_id (fixture_last (self)));
  fixture_wait (fixture_idle, self);
  g_assert_null (widget_find (window (self), GTK_TYPE_EXPANDER, is_titled, "Details"));
}

/* The end is told once, by an alert that appears; not for chats reopened. */
static void
test_announcement (Fixture *self, gconstpointer data)
{
  GtkWidget *label;
  gint64 chat;

  g_assert_null (widget_find (window (self), GTK_TYPE_LABEL, is_alert, "complete"));
  fixture_ask_and_wait (self, "Question");
  settle (100);
  label = widget_find (window (self), GTK_TYPE_LABEL, is_alert, "The answer is complete.");
  g_assert_nonnull (label);
  g_assert_cmpint (pango_layout_get_line_count (gtk_label_get_layout (GTK_LABEL (label))), ==, 1); /* there is room */
  chat = chat_id (self);
  gtk_widget_activate_action (window (self), "win.new-chat", NULL);
  facet_window_open_chat (self->window, chat);
  settle (100);
  g_assert_null (widget_find (window (self), GTK_TYPE_LABEL, is_alert, "complete"));
}

static void
test_jump (Fixture *self, gconstpointer data)
{
  g_autofree char *text = fixture_words (2000);
  FacetChatView *view = FACET_CHAT_VIEW (self->window->view);
  GtkWidget *button = widget_find (self->window->view, GTK_TYPE_BUTTON, widget_hints, "Jump to the End");
  GtkWidget *scroller;

  self->script.answer = text;
  fixture_ask_and_wait (self, "Count");
  settle (200);
  g_assert_true (facet_chat_view_is_at_end (view));
  g_assert_false (gtk_widget_get_can_target (gtk_widget_get_parent (button)));
  scroller = gtk_widget_get_ancestor (widget_find (window (self), GTK_TYPE_LABEL, widget_shows, "word0 "), GTK_TYPE_SCROLLED_WINDOW);
  gtk_adjustment_set_value (gtk_scrolled_window_get_vadjustment (GTK_SCROLLED_WINDOW (scroller)), 0);
  settle (300);
  g_assert_false (facet_chat_view_is_at_end (view));
  g_assert_true (gtk_widget_get_can_target (gtk_widget_get_parent (button)));
  fixture_picture (self, "scrolled-up");
  gtk_widget_activate_action (window (self), "win.jump-to-end", NULL);
  settle (300);
  g_assert_true (facet_chat_view_is_at_end (view));
  g_assert_true (GTK_IS_LIST_BOX_ROW (gtk_root_get_focus (GTK_ROOT (self->window))));
}

static void
test_continue (Fixture *self, gconstpointer data)
{
  gint64 id;

  self->script.answer = "One, two,";
  fixture_ask_and_wait (self, "Count");
  id = facet_message_get_id (fixture_last (self));
  self->script.answer = " three.";
  gtk_widget_activate_action (window (self), "chat.continue", "x", id);
  fixture_wait (fixture_idle, self);
  g_assert_cmpint (facet_message_get_id (fixture_last (self)), ==, id);
  g_assert_cmpstr (facet_message_get_text (fixture_last (self)), ==, "One, two, three.");
  g_assert_cmpuint (facet_message_get_record (fixture_last (self))->sibling_count, ==, 1);
  /* the model was asked to go on with its own words */
  g_assert_true (g_str_has_suffix (self->script.asked->str, "model: One, two,\n"));
}

/* Branches by the buttons under a message. */
static void
test_branch_buttons (Fixture *self, gconstpointer data)
{
  GtkWidget *back;
  GtkWidget *forth;

  self->script.answer = "First";
  fixture_ask_and_wait (self, "Question");
  self->script.answer = "Second";
  gtk_widget_activate_action (window (self), "chat.regenerate", "x", facet_message_get_id (fixture_last (self)));
  fixture_wait (fixture_idle, self);
  settle (50);
  g_assert_nonnull (widget_find (window (self), GTK_TYPE_LABEL, widget_shows, "2 of 2"));
  back = gtk_widget_get_prev_sibling (widget_find (window (self), GTK_TYPE_LABEL, widget_shows, "2 of 2"));
  forth = gtk_widget_get_next_sibling (widget_find (window (self), GTK_TYPE_LABEL, widget_shows, "2 of 2"));
  g_assert_true (gtk_widget_get_sensitive (back));
  g_assert_false (gtk_widget_get_sensitive (forth));
  g_signal_emit_by_name (back, "clicked");
  settle (100);
  g_assert_cmpstr (facet_message_get_text (fixture_last (self)), ==, "First");
  g_assert_nonnull (widget_find (window (self), GTK_TYPE_LABEL, widget_shows, "1 of 2"));
  back = gtk_widget_get_prev_sibling (widget_find (window (self), GTK_TYPE_LABEL, widget_shows, "1 of 2"));
  g_assert_false (gtk_widget_get_sensitive (back));
}

static gboolean
is_dialog (GtkWindow *found, const char *heading)
{
  return ADW_IS_MESSAGE_DIALOG (found) &&
         g_strcmp0 (adw_message_dialog_get_heading (ADW_MESSAGE_DIALOG (found)), heading) == 0;
}

static AdwMessageDialog *
find_dialog (const char *heading)
{
  g_autoptr (GList) windows = gtk_window_list_toplevels ();

  for (GList *link = windows; link != NULL; link = link->next)
    if (is_dialog (link->data, heading))
      return link->data;
  return NULL;
}

static gboolean
has_title (Fixture *self)
{
  return self->window->title_job == 0;
}

static void
test_titles (Fixture *self, gconstpointer data)
{
  AdwMessageDialog *dialog;

  fixture_ask_and_wait (self, "How do lenses work?");
  g_assert_cmpstr (adw_window_title_get_title (self->window->title), ==, "How do lenses work?");

  /* by the model, tidied */
  self->script.answer = "**\"Lenses and Light\"**\nThat is a good title.";
  gtk_widget_activate_action (window (self), "win.suggest-title", NULL);
  fixture_wait (has_title, self);
  g_assert_cmpstr (adw_window_title_get_title (self->window->title), ==, "Lenses and Light");
  g_assert_cmpuint (facet_conversation_get_length (self->window->conversation), ==, 2);

  /* by hand */
  gtk_widget_activate_action (window (self), "win.rename-chat", NULL);
  dialog = find_dialog ("Rename Chat");
  gtk_editable_set_text (GTK_EDITABLE (adw_message_dialog_get_extra_child (dialog)), "العدسات <b>");
  adw_message_dialog_response (dialog, "rename");
  g_assert_cmpstr (adw_window_title_get_title (self->window->title), ==, "العدسات <b>");
  settle (300);
}

static const char *
first_title (Fixture *self)
{
  GtkWidget *row = GTK_WIDGET (gtk_list_box_get_row_at_index (self->window->chats, 0));
  GtkWidget *box = gtk_list_box_row_get_child (GTK_LIST_BOX_ROW (row));

  return gtk_label_get_text (GTK_LABEL (gtk_widget_get_first_child (box)));
}

static void
test_pin (Fixture *self, gconstpointer data)
{
  fixture_ask_and_wait (self, "Older");
  settle (5);
  gtk_widget_activate_action (window (self), "win.new-chat", NULL);
  fixture_ask_and_wait (self, "Newer");
  g_assert_cmpstr (first_title (self), ==, "Newer");
  gtk_list_box_select_row (self->window->chats, gtk_list_box_get_row_at_index (self->window->chats, 1));
  g_signal_emit_by_name (self->window->chats, "row-activated",
                         gtk_list_box_get_row_at_index (self->window->chats, 1));
  gtk_widget_activate_action (window (self), "win.pin-chat", NULL);
  g_assert_cmpstr (first_title (self), ==, "Older");
  gtk_widget_activate_action (window (self), "win.pin-chat", NULL);
  g_assert_cmpstr (first_title (self), ==, "Newer");
}

static gboolean
has_hits (Fixture *self)
{
  return gtk_stack_get_visible_child (self->window->lists) == GTK_WIDGET (self->window->hits);
}

static void
test_search (Fixture *self, gconstpointer data)
{
  gint64 chat;

  self->script.answer = "Un réfractomètre mesure l'indice.";
  fixture_ask_and_wait (self, "Mesurer");
  chat = chat_id (self);
  gtk_widget_activate_action (window (self), "win.new-chat", NULL);
  self->script.answer = "Nothing alike.";
  fixture_ask_and_wait (self, "Other");
  gtk_editable_set_text (self->window->search, "refracto");
  fixture_wait (has_hits, self);
  g_assert_nonnull (gtk_list_box_get_row_at_index (self->window->hits, 0));
  g_assert_null (gtk_list_box_get_row_at_index (self->window->hits, 1));
  g_assert_nonnull (widget_find (GTK_WIDGET (self->window->hits), GTK_TYPE_LABEL, widget_shows, "réfractomètre"));
  fixture_picture (self, "search");
  g_signal_emit_by_name (self->window->hits, "row-activated", gtk_list_box_get_row_at_index (self->window->hits, 0));
  g_assert_cmpint (chat_id (self), ==, chat);
  g_signal_emit_by_name (self->window->search, "stop-search");
  settle (200);
  g_assert_false (has_hits (self));
}

/* A link asks first, widget_shows where it leads, and opens nothing but web and mail. */
static gboolean
is_refused (Fixture *self)
{
  return find_dialog ("This Link Cannot Be Opened") != NULL;
}

/* Where no program opens addresses, that is said. */
static void
test_link_unopened (Fixture *self, gconstpointer data)
{
  g_autoptr (GAppInfo) browser = g_app_info_get_default_for_uri_scheme ("https");
  GtkWidget *label;

  if (browser != NULL) {
    g_test_skip ("there is a program that opens addresses");
    return;
  }
  self->script.answer = "See [the page](https://example.org).";
  fixture_ask_and_wait (self, "Where?");
  label = widget_find (window (self), GTK_TYPE_LABEL, widget_shows, "the page");
  facet_link_activate_cb (GTK_LABEL (label), "https://example.org", NULL);
  adw_message_dialog_response (find_dialog ("Open This Link?"), "open");
  fixture_wait (is_refused, self);
  adw_message_dialog_response (find_dialog ("This Link Cannot Be Opened"), "cancel");
  settle (300);
}

static void
test_link (Fixture *self, gconstpointer data)
{
  GtkWidget *label;
  AdwMessageDialog *dialog;

  self->script.answer = "See [the page](https://example.org/a?b=c&d) and [this](file:///etc/passwd).";
  fixture_ask_and_wait (self, "Where?");
  label = widget_find (window (self), GTK_TYPE_LABEL, widget_shows, "the page");
  g_assert_true (facet_link_activate_cb (GTK_LABEL (label), "https://example.org/a?b=c&d", NULL));
  dialog = find_dialog ("Open This Link?");
  g_assert_cmpstr (adw_message_dialog_get_body (dialog), ==, "https://example.org/a?b=c&d");
  g_assert_true (adw_message_dialog_has_response (dialog, "open"));
  adw_message_dialog_response (dialog, "cancel");
  settle (300);
  facet_link_activate_cb (GTK_LABEL (label), "file:///etc/passwd", NULL);
  dialog = find_dialog ("This Link Cannot Be Opened");
  g_assert_false (adw_message_dialog_has_response (dialog, "open"));
  adw_message_dialog_response (dialog, "cancel");
  settle (300);
}

static gboolean
has_two_chats (Fixture *self)
{
  return g_list_model_get_n_items (G_LIST_MODEL (self->window->chat_list)) == 2;
}

static GFile *exported;

static gboolean
is_exported (Fixture *self)
{
  return g_file_query_exists (exported, NULL) && self->window->chooser == NULL;
}

static GtkWidget *
find_chooser (void)
{
  g_autoptr (GList) windows = gtk_window_list_toplevels ();

  for (GList *link = windows; link != NULL; link = link->next)
    if (GTK_IS_FILE_CHOOSER_DIALOG (link->data) && gtk_widget_get_visible (link->data))
      return link->data;
  g_assert_not_reached ();
}

/* Out by one dialog, back in by the other. The first one offers the title as
 * the name, in a folder of its own choice: the working one. */
static void
test_export_import (Fixture *self, gconstpointer data)
{
  g_autofree char *before = g_get_current_dir ();
  g_autofree char *inner = g_build_filename (self->folder, "inner", NULL);
  g_autofree char *name = NULL;
  GtkWidget *dialog;

  g_mkdir (inner, 0700);
  g_chdir (inner);
  self->script.answer = "Kept.";
  fixture_ask_and_wait (self, "Keep / this");
  gtk_widget_activate_action (window (self), "win.export-json", NULL);
  settle (700);
  dialog = find_chooser ();
  exported = gtk_file_chooser_get_file (GTK_FILE_CHOOSER (dialog));
  name = g_file_get_basename (exported);
  g_assert_cmpstr (name, ==, "Keep - this.json");
  gtk_dialog_response (GTK_DIALOG (dialog), GTK_RESPONSE_ACCEPT);
  fixture_wait (is_exported, self);

  gtk_widget_activate_action (window (self), "win.import", NULL);
  settle (300);
  dialog = find_chooser ();
  gtk_file_chooser_set_file (GTK_FILE_CHOOSER (dialog), exported, NULL);
  settle (700);
  gtk_dialog_response (GTK_DIALOG (dialog), GTK_RESPONSE_ACCEPT);
  fixture_wait (has_two_chats, self);
  g_clear_object (&exported);
  g_chdir (before);
}

static gboolean
sample_is_ready (Fixture *self)
{
  GListModel *attachments = facet_composer_get_attachments (self->window->composer);
  g_autoptr (FacetAttachment) sample = g_list_model_get_item (attachments, 0);

  return sample != NULL && facet_attachment_get_state (sample) == FACET_ATTACHMENT_READY;
}

/* Something to try, once the model has the sense for it. */
static void
test_samples (Fixture *self, gconstpointer data)
{
  FacetLoadSpec spec = { .path = (char *) "all-senses.gguf" };

  g_assert_false (gtk_widget_get_visible (self->window->sample_chart));
  g_assert_false (gtk_widget_get_visible (self->window->sample_voice));
  self->script.sees = self->script.hears = TRUE;
  facet_engine_service_load (self->service, &spec);
  settle (50);
  fixture_wait (fixture_idle, self);
  g_assert_true (gtk_widget_get_visible (self->window->sample_chart));
  g_assert_true (gtk_widget_get_visible (self->window->sample_voice));
  fixture_picture (self, "samples");
  gtk_widget_activate_action (window (self), "win.try-sample", "s", "transcribe");
  fixture_wait (sample_is_ready, self);
  fixture_picture (self, "sample-voice");
  g_assert_cmpstr (facet_composer_get_mode (self->window->composer)->id, ==, "transcribe");
  facet_composer_clear (self->window->composer);
  gtk_widget_activate_action (window (self), "win.try-sample", "s", "chart");
  fixture_wait (sample_is_ready, self);
  g_assert_cmpstr (facet_composer_get_mode (self->window->composer)->id, ==, "chart");
  fixture_picture (self, "sample-chart");
  g_signal_emit_by_name (self->window->composer, "send");
  settle (300);
  fixture_wait (fixture_idle, self);
  g_assert_true (g_str_has_prefix (self->script.asked->str, "user: <file> Read this chart."));
}

int
main (int argc, char *argv[])
{
#define ADD(name, func) g_test_add ("/conversation/" name, Fixture, NULL, fixture_set_up, func, fixture_tear_down)
  if (!fixture_start (&argc, &argv))
    return 0;
  ADD ("thoughts", test_thoughts);
  ADD ("failure-details", test_failure_details);
  ADD ("announcement", test_announcement);
  ADD ("jump", test_jump);
  ADD ("continue", test_continue);
  ADD ("branch-buttons", test_branch_buttons);
  ADD ("titles", test_titles);
  ADD ("pin", test_pin);
  ADD ("search", test_search);
  ADD ("link", test_link);
  ADD ("link-unopened", test_link_unopened);
  ADD ("export-import", test_export_import);
  ADD ("samples", test_samples);
  return g_test_run ();
}
