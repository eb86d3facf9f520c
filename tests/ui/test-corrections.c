/* Answers in a person's own words: what is corrected, what follows it, what is kept meanwhile. */
#include <adwaita.h>
#include <string.h>

#include "chat/facet-answer-editor.h"
#include "chat/facet-message-row.h"
#include "ui-fixture.h"
#include "widget-find.h"
#include "widget-picture.h"

static gint64
chat_id (Fixture *self)
{
  return facet_conversation_get_chat_id (self->window->conversation);
}

static GtkWidget *
window (Fixture *self)
{
  return GTK_WIDGET (self->window);
}

static GtkWidget *
editor (Fixture *self)
{
  return widget_find (window (self), FACET_TYPE_ANSWER_EDITOR, widget_hints, NULL);
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

  for (GtkWidget *row = gtk_widget_get_last_child (widget_find (window (self), GTK_TYPE_LIST_BOX, widget_has_class, "messages")); row != NULL;
       row = gtk_widget_get_prev_sibling (row)) {
    button = widget_find (row, GTK_TYPE_BUTTON, widget_hints, "Correct Answer");
    if (button != NULL)
      break;
  }
  g_signal_emit_by_name (button, "clicked");
  settle (50);
}

static void
press (Fixture *self, const char *label)
{
  g_signal_emit_by_name (widget_find (editor (self), GTK_TYPE_BUTTON, widget_is_labelled, label), "clicked");
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
  fixture_ask_and_wait (self, "Write it down");
  original = facet_message_get_id (fixture_last (self));
  begin_correction (self);
  type_answer (self, "The meeting is at **four**.");
  widget_picture (window (self), "correct", 300);
  press (self, "_Save");
  g_assert_null (editor (self));
  correction = facet_message_get_id (fixture_last (self));
  g_assert_cmpint (correction, !=, original);
  g_assert_cmpuint (facet_conversation_get_length (self->window->conversation), ==, 2);
  g_assert_true (facet_message_get_record (fixture_last (self))->edited);
  g_assert_nonnull (widget_find (window (self), GTK_TYPE_LABEL, widget_shows, "Edited"));
  g_assert_nonnull (widget_find (window (self), GTK_TYPE_LABEL, widget_shows, "2 of 2"));
  g_assert_true (FACET_IS_MESSAGE_ROW (gtk_window_get_focus (GTK_WINDOW (self->window))));
  widget_picture (window (self), "corrected", 300);

  self->script.answer = "At four.";
  fixture_ask_and_wait (self, "When is it?");
  g_assert_nonnull (strstr (self->script.asked->str, "model: The meeting is at **four**.\nuser: When is it?\n"));
  g_assert_null (strstr (self->script.asked->str, "meating"));

  gtk_widget_activate_action (window (self), "chat.uncorrect", "(xxx)", chat_id (self), correction, original);
  settle (100);
  g_assert_cmpuint (facet_conversation_get_length (self->window->conversation), ==, 4);
  answer = facet_conversation_get_message (self->window->conversation, 1);
  g_assert_cmpint (facet_message_get_id (answer), ==, original);
  g_assert_false (facet_message_get_record (answer)->edited);
  g_assert_null (widget_find (window (self), GTK_TYPE_LABEL, widget_shows, "Edited"));
  g_assert_null (widget_find (window (self), GTK_TYPE_LABEL, widget_shows, "of 2"));
}

/* The turns after it stay: in the same rows, one of which is being corrected, and in what the model is told. */
static void
test_correct_earlier (Fixture *self, gconstpointer data)
{
  FacetConversation *conversation;
  FacetMessage *question, *answer, *correction;
  GtkWidget *row;
  gint64 first;

  fixture_ask_and_wait (self, "First question");
  fixture_ask_and_wait (self, "Second question");
  conversation = self->window->conversation;
  first = facet_message_get_id (facet_conversation_get_message (conversation, 1));
  question = facet_conversation_get_message (conversation, 2);
  answer = fixture_last (self);
  begin_correction (self);
  type_answer (self, "Half a cor");
  row = gtk_widget_get_last_child (widget_find (window (self), GTK_TYPE_LIST_BOX, widget_has_class, "messages"));

  gtk_widget_activate_action (window (self), "chat.correct", "(xs)", first, "My words.");
  settle (50);
  g_assert_cmpuint (facet_conversation_get_length (conversation), ==, 4);
  correction = facet_conversation_get_message (conversation, 1);
  g_assert_cmpstr (facet_message_get_text (correction), ==, "My words.");
  g_assert_true (facet_conversation_get_message (conversation, 2) == question);
  g_assert_true (fixture_last (self) == answer);
  g_assert_true (gtk_widget_get_last_child (widget_find (window (self), GTK_TYPE_LIST_BOX, widget_has_class, "messages")) == row);
  g_assert_cmpstr (facet_message_get_revision (answer), ==, "Half a cor");
  g_assert_true (gtk_window_get_focus (GTK_WINDOW (self->window)) ==
                 GTK_WIDGET (gtk_list_box_get_row_at_index (GTK_LIST_BOX (gtk_widget_get_parent (row)), 1)));
  press (self, "_Cancel");
  fixture_ask_and_wait (self, "Third question");
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

  fixture_ask_and_wait (self, "Question");
  for (gsize i = 0; i < G_N_ELEMENTS (ways); i++) {
    begin_correction (self);
    type_answer (self, "  \n");
    g_assert_false (gtk_widget_get_sensitive (widget_find (editor (self), GTK_TYPE_BUTTON, widget_is_labelled, "_Save")));
    type_answer (self, i == 0 ? "Something else" : "A short answer.");
    press (self, ways[i]);
    g_assert_null (editor (self));
    focus = gtk_window_get_focus (GTK_WINDOW (self->window));
    g_assert_cmpstr (gtk_widget_get_tooltip_text (focus), ==, "Correct Answer");
    g_assert_nonnull (widget_find (window (self), GTK_TYPE_LABEL, widget_shows, "A short answer."));
    g_assert_cmpuint (facet_message_get_record (fixture_last (self))->sibling_count, ==, 1);
  }
}

/* What is being rewritten waits in its chat, an answer and a question alike. */
static void
test_correct_elsewhere (Fixture *self, gconstpointer data)
{
  g_autofree char *draft = NULL, *text = NULL;
  gint64 chat;

  fixture_ask_and_wait (self, "Question");
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
  fixture_ask_and_wait (self, "Another chat");

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
  g_assert_cmpstr (facet_message_get_text (fixture_last (self)), ==, "A whole correction.");

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
  g_autoptr (FacetStoreMessage) answer = facet_store_get_message (self->store, facet_message_get_id (fixture_last (self)), NULL);

  return g_str_equal (answer->revision, "Half a cor");
}

/* What is being written is on disk after a moment, and no longer when it is cancelled. */
static void
test_correct_is_kept (Fixture *self, gconstpointer data)
{
  g_autoptr (FacetConversation) again = NULL;

  fixture_ask_and_wait (self, "Question");
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

  fixture_ask_and_wait (self, "Question");
  answer.chat_id = chat_id (self);
  answer.parent_id = facet_message_get_record (fixture_last (self))->parent_id;
  g_assert_cmpint (facet_store_add_message (self->store, &answer, NULL), >, 0);
  _facet_window_new_chat (self->window);
  facet_window_open_chat (self->window, answer.chat_id);
  g_assert_nonnull (facet_conversation_correct (self->window->conversation, fixture_last (self), "42.", NULL));
  fixture_ask_and_wait (self, "Sure?");
  g_assert_nonnull (strstr (self->script.asked->str, "model: <call calculator {}> <result calculator 42> 42.\nuser: Sure?\n"));
}

int
main (int argc, char *argv[])
{
#define ADD(name, func) g_test_add ("/corrections/" name, Fixture, NULL, fixture_set_up, func, fixture_tear_down)
  if (!fixture_start (&argc, &argv))
    return 0;
  ADD ("correct", test_correct);
  ADD ("correct-earlier", test_correct_earlier);
  ADD ("correct-cancelled", test_correct_cancelled);
  ADD ("correct-elsewhere", test_correct_elsewhere);
  ADD ("correct-is-kept", test_correct_is_kept);
  ADD ("correct-with-calls", test_correct_with_calls);
  return g_test_run ();
}
