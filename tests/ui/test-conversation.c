/* What belongs to messages and chats beside their words. */
#include <adwaita.h>
#include <glib/gstdio.h>
#include <string.h>

#include "chat/facet-answer-editor.h"
#include "chat/facet-link.h"
#include "chat/facet-message-row.h"
#include "composer/facet-composer-private.h"
#include "ui-fixture.h"
#include "widget-picture.h"

static FacetMessage *
last (Fixture *self)
{
  return facet_conversation_get_last (self->window->conversation);
}

static gint64
chat_id (Fixture *self)
{
  return facet_conversation_get_chat_id (self->window->conversation);
}

typedef gboolean (*Matches) (GtkWidget *widget, const char *what);

static GtkWidget *
find (GtkWidget *widget, GType type, Matches matches, const char *what)
{
  if (G_TYPE_CHECK_INSTANCE_TYPE (widget, type) && matches (widget, what))
    return widget;
  for (GtkWidget *child = gtk_widget_get_first_child (widget); child != NULL; child = gtk_widget_get_next_sibling (child)) {
    GtkWidget *found = find (child, type, matches, what);

    if (found != NULL)
      return found;
  }
  return NULL;
}

static gboolean
shows (GtkWidget *label, const char *text)
{
  return gtk_widget_get_mapped (label) && strstr (gtk_label_get_text (GTK_LABEL (label)), text) != NULL;
}

static gboolean
is_titled (GtkWidget *expander, const char *title)
{
  return gtk_widget_get_visible (expander) && g_strcmp0 (gtk_expander_get_label (GTK_EXPANDER (expander)), title) == 0;
}

static gboolean
hints (GtkWidget *widget, const char *tooltip)
{
  return g_strcmp0 (gtk_widget_get_tooltip_text (widget), tooltip) == 0;
}

static gboolean
is_alert (GtkWidget *label, const char *text)
{
  return gtk_accessible_get_accessible_role (GTK_ACCESSIBLE (label)) == GTK_ACCESSIBLE_ROLE_ALERT && shows (label, text);
}

static gboolean
is_labelled (GtkWidget *button, const char *label)
{
  return g_strcmp0 (gtk_button_get_label (GTK_BUTTON (button)), label) == 0;
}

static gboolean
has_class (GtkWidget *widget, const char *name)
{
  return gtk_widget_has_css_class (widget, name);
}

static GtkWidget *
window (Fixture *self)
{
  return GTK_WIDGET (self->window);
}

static void
ask (Fixture *self, const char *text)
{
  fixture_ask (self, text);
  fixture_wait (fixture_idle, self);
  settle (50);
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
  fold = find (window (self), GTK_TYPE_EXPANDER, is_titled, "Thoughts");
  g_assert_nonnull (fold);
  g_assert_false (gtk_expander_get_expanded (GTK_EXPANDER (fold)));
  gtk_expander_set_expanded (GTK_EXPANDER (fold), TRUE);
  settle (300);
  g_assert_nonnull (find (fold, GTK_TYPE_LABEL, shows, "check the sign"));
  fixture_picture (self, "thoughts");
  gtk_widget_activate_action (window (self), "win.new-chat", NULL);
  g_assert_null (find (window (self), GTK_TYPE_EXPANDER, is_titled, "Thoughts"));
}

/* The sentence for people, and the engine's own words folded away. */
static void
test_failure_details (Fixture *self, gconstpointer data)
{
  GtkWidget *fold;

  self->script.fail = FACET_ERROR_DEVICE + 1;
  ask (self, "Question");
  g_assert_nonnull (find (window (self), GTK_TYPE_LABEL, shows, "graphics device failed"));
  g_assert_null (find (window (self), GTK_TYPE_LABEL, shows, "told to fail"));
  fold = find (window (self), GTK_TYPE_EXPANDER, is_titled, "Details");
  gtk_expander_set_expanded (GTK_EXPANDER (fold), TRUE);
  settle (300);
  g_assert_nonnull (find (fold, GTK_TYPE_LABEL, shows, "told to fail"));
  fixture_picture (self, "failure-details");

  self->script.fail = 0;
  gtk_widget_activate_action (window (self), "chat.regenerate", "x", facet_message_get_id (last (self)));
  fixture_wait (fixture_idle, self);
  g_assert_null (find (window (self), GTK_TYPE_EXPANDER, is_titled, "Details"));
}

/* The end is told once, by an alert that appears; not for chats reopened. */
static void
test_announcement (Fixture *self, gconstpointer data)
{
  GtkWidget *label;
  gint64 chat;

  g_assert_null (find (window (self), GTK_TYPE_LABEL, is_alert, "complete"));
  ask (self, "Question");
  settle (100);
  label = find (window (self), GTK_TYPE_LABEL, is_alert, "The answer is complete.");
  g_assert_nonnull (label);
  g_assert_cmpint (pango_layout_get_line_count (gtk_label_get_layout (GTK_LABEL (label))), ==, 1); /* there is room */
  chat = chat_id (self);
  gtk_widget_activate_action (window (self), "win.new-chat", NULL);
  facet_window_open_chat (self->window, chat);
  settle (100);
  g_assert_null (find (window (self), GTK_TYPE_LABEL, is_alert, "complete"));
}

static char *
many_words (guint n)
{
  GString *text = g_string_new (NULL);

  for (guint i = 0; i < n; i++)
    g_string_append_printf (text, "word%u %s", i, i % 40 == 39 ? "\n\n" : "");
  return g_string_free (text, FALSE);
}

static void
test_jump (Fixture *self, gconstpointer data)
{
  g_autofree char *text = many_words (2000);
  FacetChatView *view = FACET_CHAT_VIEW (self->window->view);
  GtkWidget *button = find (self->window->view, GTK_TYPE_BUTTON, hints, "Jump to the End");
  GtkWidget *scroller;

  self->script.answer = text;
  ask (self, "Count");
  settle (200);
  g_assert_true (facet_chat_view_is_at_end (view));
  g_assert_false (gtk_widget_get_can_target (gtk_widget_get_parent (button)));
  scroller = gtk_widget_get_ancestor (find (window (self), GTK_TYPE_LABEL, shows, "word0 "), GTK_TYPE_SCROLLED_WINDOW);
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
  ask (self, "Count");
  id = facet_message_get_id (last (self));
  self->script.answer = " three.";
  gtk_widget_activate_action (window (self), "chat.continue", "x", id);
  fixture_wait (fixture_idle, self);
  g_assert_cmpint (facet_message_get_id (last (self)), ==, id);
  g_assert_cmpstr (facet_message_get_text (last (self)), ==, "One, two, three.");
  g_assert_cmpuint (facet_message_get_record (last (self))->sibling_count, ==, 1);
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
  ask (self, "Question");
  self->script.answer = "Second";
  gtk_widget_activate_action (window (self), "chat.regenerate", "x", facet_message_get_id (last (self)));
  fixture_wait (fixture_idle, self);
  settle (50);
  g_assert_nonnull (find (window (self), GTK_TYPE_LABEL, shows, "2 of 2"));
  back = gtk_widget_get_prev_sibling (find (window (self), GTK_TYPE_LABEL, shows, "2 of 2"));
  forth = gtk_widget_get_next_sibling (find (window (self), GTK_TYPE_LABEL, shows, "2 of 2"));
  g_assert_true (gtk_widget_get_sensitive (back));
  g_assert_false (gtk_widget_get_sensitive (forth));
  g_signal_emit_by_name (back, "clicked");
  settle (100);
  g_assert_cmpstr (facet_message_get_text (last (self)), ==, "First");
  g_assert_nonnull (find (window (self), GTK_TYPE_LABEL, shows, "1 of 2"));
  back = gtk_widget_get_prev_sibling (find (window (self), GTK_TYPE_LABEL, shows, "1 of 2"));
  g_assert_false (gtk_widget_get_sensitive (back));
}

/* ---- correcting an answer ----------------------------------------------- */

static GtkWidget *
editor (Fixture *self)
{
  return find (window (self), FACET_TYPE_ANSWER_EDITOR, hints, NULL);
}

static void
type_answer (Fixture *self, const char *text)
{
  GtkTextView *view = GTK_TEXT_VIEW (gtk_widget_get_first_child (editor (self)));

  g_assert_true (gtk_window_get_focus (GTK_WINDOW (self->window)) == GTK_WIDGET (view));
  gtk_text_buffer_set_text (gtk_text_view_get_buffer (view), text, -1);
}

static void
begin_correction (Fixture *self)
{
  GtkWidget *button = NULL;

  for (GtkWidget *row = gtk_widget_get_last_child (find (window (self), GTK_TYPE_LIST_BOX, has_class, "messages")); row != NULL;
       row = gtk_widget_get_prev_sibling (row)) {
    button = find (row, GTK_TYPE_BUTTON, hints, "Correct Answer");
    if (button != NULL)
      break;
  }
  g_signal_emit_by_name (button, "clicked");
  settle (50);
}

static void
press (Fixture *self, const char *label)
{
  g_signal_emit_by_name (find (editor (self), GTK_TYPE_BUTTON, is_labelled, label), "clicked");
  settle (100);
}

/* What the person wrote takes the place of the answer in what the model is
 * told later; what the model wrote is the version before, and undo brings it
 * back. */
static void
test_correct (Fixture *self, gconstpointer data)
{
  gint64 original, correction;
  FacetMessage *answer;

  self->script.answer = "The meating is at fore.";
  ask (self, "Write it down");
  original = facet_message_get_id (last (self));
  begin_correction (self);
  type_answer (self, "The meeting is at **four**.");
  widget_picture (window (self), "correct", 300);
  press (self, "_Save");
  g_assert_null (editor (self));
  correction = facet_message_get_id (last (self));
  g_assert_cmpint (correction, !=, original);
  g_assert_cmpuint (facet_conversation_get_length (self->window->conversation), ==, 2);
  g_assert_true (facet_message_get_record (last (self))->edited);
  g_assert_nonnull (find (window (self), GTK_TYPE_LABEL, shows, "Edited"));
  g_assert_nonnull (find (window (self), GTK_TYPE_LABEL, shows, "2 of 2"));
  g_assert_true (FACET_IS_MESSAGE_ROW (gtk_window_get_focus (GTK_WINDOW (self->window))));
  widget_picture (window (self), "corrected", 300);

  self->script.answer = "At four.";
  ask (self, "When is it?");
  g_assert_nonnull (strstr (self->script.asked->str, "model: The meeting is at **four**.\nuser: When is it?\n"));
  g_assert_null (strstr (self->script.asked->str, "meating"));

  gtk_widget_activate_action (window (self), "chat.uncorrect", "(xxx)", chat_id (self), correction, original);
  settle (100);
  g_assert_cmpuint (facet_conversation_get_length (self->window->conversation), ==, 4);
  answer = facet_conversation_get_message (self->window->conversation, 1);
  g_assert_cmpint (facet_message_get_id (answer), ==, original);
  g_assert_false (facet_message_get_record (answer)->edited);
  g_assert_null (find (window (self), GTK_TYPE_LABEL, shows, "Edited"));
  g_assert_null (find (window (self), GTK_TYPE_LABEL, shows, "of 2"));
}

/* The turns after it stay: in the same rows, one of which is being corrected, and in what the model is told. */
static void
test_correct_earlier (Fixture *self, gconstpointer data)
{
  FacetConversation *conversation;
  FacetMessage *question, *answer, *correction;
  GtkWidget *row;
  gint64 first;

  ask (self, "First question");
  ask (self, "Second question");
  conversation = self->window->conversation;
  first = facet_message_get_id (facet_conversation_get_message (conversation, 1));
  question = facet_conversation_get_message (conversation, 2);
  answer = last (self);
  begin_correction (self);
  type_answer (self, "Half a cor");
  row = gtk_widget_get_last_child (find (window (self), GTK_TYPE_LIST_BOX, has_class, "messages"));

  gtk_widget_activate_action (window (self), "chat.correct", "(xs)", first, "My words.");
  settle (50);
  g_assert_cmpuint (facet_conversation_get_length (conversation), ==, 4);
  correction = facet_conversation_get_message (conversation, 1);
  g_assert_cmpstr (facet_message_get_text (correction), ==, "My words.");
  g_assert_true (facet_conversation_get_message (conversation, 2) == question);
  g_assert_true (last (self) == answer);
  g_assert_true (gtk_widget_get_last_child (find (window (self), GTK_TYPE_LIST_BOX, has_class, "messages")) == row);
  g_assert_cmpstr (facet_message_get_revision (answer), ==, "Half a cor");
  g_assert_true (gtk_window_get_focus (GTK_WINDOW (self->window)) ==
                 GTK_WIDGET (gtk_list_box_get_row_at_index (GTK_LIST_BOX (gtk_widget_get_parent (row)), 1)));
  press (self, "_Cancel");
  ask (self, "Third question");
  g_assert_nonnull (strstr (self->script.asked->str, "model: My words.\nuser: Second question\nmodel: A short answer.\nuser: Third question\n"));

  gtk_widget_activate_action (window (self), "chat.uncorrect", "(xxx)", chat_id (self), facet_message_get_id (correction), first);
  settle (50);
  g_assert_cmpint (facet_message_get_id (facet_conversation_get_message (conversation, 1)), ==, first);
  g_assert_cmpuint (facet_conversation_get_length (conversation), ==, 6);
}

/* What stays the same, or is cancelled, leaves no version, and the focus where
 * it began; nothing cannot be saved. */
static void
test_correct_cancelled (Fixture *self, gconstpointer data)
{
  static const char *const ways[] = { "_Cancel", "_Save" };
  GtkWidget *focus;

  ask (self, "Question");
  for (gsize i = 0; i < G_N_ELEMENTS (ways); i++) {
    begin_correction (self);
    type_answer (self, "  \n");
    g_assert_false (gtk_widget_get_sensitive (find (editor (self), GTK_TYPE_BUTTON, is_labelled, "_Save")));
    type_answer (self, i == 0 ? "Something else" : "A short answer.");
    press (self, ways[i]);
    g_assert_null (editor (self));
    focus = gtk_window_get_focus (GTK_WINDOW (self->window));
    g_assert_cmpstr (gtk_widget_get_tooltip_text (focus), ==, "Correct Answer");
    g_assert_nonnull (find (window (self), GTK_TYPE_LABEL, shows, "A short answer."));
    g_assert_cmpuint (facet_message_get_record (last (self))->sibling_count, ==, 1);
  }
}

/* What is being rewritten waits in its chat, an answer and a question alike. */
static void
test_correct_elsewhere (Fixture *self, gconstpointer data)
{
  g_autofree char *draft = NULL, *text = NULL;
  gint64 chat;

  ask (self, "Question");
  chat = chat_id (self);
  begin_correction (self);
  type_answer (self, "Half a cor");
  gtk_widget_activate_action (window (self), "chat.edit", "x",
                              facet_message_get_id (facet_conversation_get_message (self->window->conversation, 0)));
  facet_composer_set_text (self->window->composer, "Half a ques");
  gtk_widget_activate_action (window (self), "win.new-chat", NULL);
  settle (50);
  g_assert_null (editor (self));
  draft = facet_composer_get_text (self->window->composer);
  g_assert_cmpstr (draft, ==, "");
  ask (self, "Another chat");

  facet_window_open_chat (self->window, chat);
  settle (100);
  text = facet_composer_get_text (self->window->composer);
  g_assert_cmpstr (text, ==, "Half a ques");
  g_assert_true (self->window->editing == facet_conversation_get_message (self->window->conversation, 0));
  widget_picture (window (self), "correct-elsewhere", 300);
  gtk_widget_grab_focus (editor (self));
  type_answer (self, "A whole correction.");
  press (self, "_Save");
  g_assert_null (editor (self));
  g_assert_cmpstr (facet_message_get_text (last (self)), ==, "A whole correction.");

  /* nothing is left of it */
  g_signal_emit_by_name (self->window->composer, "cancel-edit");
  gtk_widget_activate_action (window (self), "win.new-chat", NULL);
  facet_window_open_chat (self->window, chat);
  settle (50);
  g_assert_null (editor (self));
  g_assert_null (self->window->editing);
}

static gboolean
is_revision_kept (Fixture *self)
{
  g_autoptr (FacetStoreMessage) answer = facet_store_get_message (self->store, facet_message_get_id (last (self)), NULL);

  return g_str_equal (answer->revision, "Half a cor");
}

/* What is being written is on disk after a moment, and no longer when it is cancelled. */
static void
test_correct_is_kept (Fixture *self, gconstpointer data)
{
  g_autoptr (FacetConversation) again = NULL;

  ask (self, "Question");
  begin_correction (self);
  type_answer (self, "Half a cor");
  fixture_wait (is_revision_kept, self);
  again = facet_conversation_open (self->store, chat_id (self), NULL);
  g_assert_cmpstr (facet_message_get_revision (facet_conversation_get_last (again)), ==, "Half a cor");
  g_assert_cmpstr (facet_message_get_text (facet_conversation_get_last (again)), ==, "A short answer.");
  press (self, "_Cancel");
  while (is_revision_kept (self))
    g_main_context_iteration (NULL, TRUE);
}

/* Calls of tools stay with the answer, before the text that is the person's now. */
static void
test_correct_with_calls (Fixture *self, gconstpointer data)
{
  FacetStoreMessage answer = {
    .role = FACET_STORE_ROLE_MODEL, .status = FACET_MESSAGE_DONE, .text = (char *) "Let me see. It is 41.",
    .calls = (char *) "[{\"tool\": \"calculator\", \"arguments\": \"{}\", \"state\": \"done\", \"result\": \"42\", \"offset\": 11, \"round\": 0}]",
  };

  ask (self, "Question");
  answer.chat_id = chat_id (self);
  answer.parent_id = facet_message_get_record (last (self))->parent_id;
  g_assert_cmpint (facet_store_add_message (self->store, &answer, NULL), >, 0);
  _facet_window_new_chat (self->window);
  facet_window_open_chat (self->window, answer.chat_id);
  g_assert_nonnull (facet_conversation_correct (self->window->conversation, last (self), "42.", NULL));
  ask (self, "Sure?");
  g_assert_nonnull (strstr (self->script.asked->str, "model: <call calculator {}> <result calculator 42> 42.\nuser: Sure?\n"));
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

  ask (self, "How do lenses work?");
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
  ask (self, "Older");
  settle (5);
  gtk_widget_activate_action (window (self), "win.new-chat", NULL);
  ask (self, "Newer");
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
  ask (self, "Mesurer");
  chat = chat_id (self);
  gtk_widget_activate_action (window (self), "win.new-chat", NULL);
  self->script.answer = "Nothing alike.";
  ask (self, "Other");
  gtk_editable_set_text (self->window->search, "refracto");
  fixture_wait (has_hits, self);
  g_assert_nonnull (gtk_list_box_get_row_at_index (self->window->hits, 0));
  g_assert_null (gtk_list_box_get_row_at_index (self->window->hits, 1));
  g_assert_nonnull (find (GTK_WIDGET (self->window->hits), GTK_TYPE_LABEL, shows, "réfractomètre"));
  fixture_picture (self, "search");
  g_signal_emit_by_name (self->window->hits, "row-activated", gtk_list_box_get_row_at_index (self->window->hits, 0));
  g_assert_cmpint (chat_id (self), ==, chat);
  g_signal_emit_by_name (self->window->search, "stop-search");
  settle (200);
  g_assert_false (has_hits (self));
}

/* A link asks first, shows where it leads, and opens nothing but web and mail. */
static void
test_link (Fixture *self, gconstpointer data)
{
  GtkWidget *label;
  AdwMessageDialog *dialog;

  self->script.answer = "See [the page](https://example.org/a?b=c&d) and [this](file:///etc/passwd).";
  ask (self, "Where?");
  label = find (window (self), GTK_TYPE_LABEL, shows, "the page");
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
  ask (self, "Keep / this");
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
  ADD ("correct", test_correct);
  ADD ("correct-earlier", test_correct_earlier);
  ADD ("correct-cancelled", test_correct_cancelled);
  ADD ("correct-elsewhere", test_correct_elsewhere);
  ADD ("correct-is-kept", test_correct_is_kept);
  ADD ("correct-with-calls", test_correct_with_calls);
  ADD ("titles", test_titles);
  ADD ("pin", test_pin);
  ADD ("search", test_search);
  ADD ("link", test_link);
  ADD ("export-import", test_export_import);
  ADD ("samples", test_samples);
  return g_test_run ();
}
