/* What is large: a paste, a question, an answer, the list of chats. The window goes on answering. */
#include <adwaita.h>
#include <string.h>

#include "composer/facet-composer-private.h"
#include "ui-fixture.h"
#include "widget-picture.h"

static gint64
longest_iteration (guint ms)
{
  gint64 end = g_get_monotonic_time () + ms * 1000, longest = 0;

  while (g_get_monotonic_time () < end) {
    gint64 begun = fixture_thread_time ();

    if (!g_main_context_iteration (NULL, FALSE))
      g_usleep (1000);
    longest = MAX (longest, fixture_thread_time () - begun);
  }
  return longest;
}

/* Once, after something that a person has done; what comes while an answer is written is held to 50 ms in test-window. */
#ifdef __SANITIZE_ADDRESS__
#define LONG_USEC (5 * G_USEC_PER_SEC)
#else
#define LONG_USEC (G_USEC_PER_SEC / 2)
#endif

/* What is laid out piece by piece. */
#ifdef __SANITIZE_ADDRESS__
#define FRAME_USEC 400000
#else
#define FRAME_USEC 50000
#endif

static char *
prose (gsize size)
{
  GString *text = g_string_sized_new (size + 64);

  for (guint i = 0; text->len < size; i++)
    g_string_append_printf (text, "The quick brown fox %u jumps over the lazy dog.%s", i, i % 10 == 9 ? "\n\n" : " ");
  return g_string_free (text, FALSE);
}

static gboolean
has_sent (Fixture *self)
{
  return !self->window->asking && fixture_idle (self);
}

static FacetAttachment *
attached (Fixture *self)
{
  FacetAttachment *attachment = g_list_model_get_item (facet_composer_get_attachments (self->window->composer), 0);

  if (attachment != NULL)
    g_object_unref (attachment); /* the list keeps it */
  return attachment;
}

static gboolean
has_looked (Fixture *self)
{
  return attached (self) != NULL && facet_attachment_get_state (attached (self)) != FACET_ATTACHMENT_LOOKING;
}

static void
paste (Fixture *self, const char *text)
{
  gdk_clipboard_set_text (gtk_widget_get_clipboard (GTK_WIDGET (self->window)), text);
  g_signal_emit_by_name (self->window->composer->view, "paste-clipboard");
}

static void
assert_quick (const char *what, guint ms)
{
  gint64 longest = longest_iteration (ms);

  g_test_message ("%s: %.0f ms", what, longest / 1000.0);
  g_assert_cmpint (longest, <, LONG_USEC);
}

/* A text that nobody writes by hand becomes a file beside the words. */
static void
test_paste (Fixture *self, gconstpointer data)
{
  g_autofree char *text = prose (5 << 20), *written = NULL, *page = prose (20000), *too_much = prose (9 << 20);

  _facet_window_choose_mode (self->window, facet_mode_find ("summarise"));
  paste (self, page);
  settle (200);
  written = facet_composer_get_text (self->window->composer);
  g_assert_cmpuint (strlen (written), >, 19000);
  facet_composer_set_text (self->window->composer, "Short, please.");

  paste (self, text);
  assert_quick ("pasted", 1000);
  fixture_wait (has_looked, self);
  g_assert_cmpstr (facet_attachment_get_name (attached (self)), ==, "Pasted text.txt");
  g_assert_cmpint (facet_attachment_get_state (attached (self)), ==, FACET_ATTACHMENT_READY);
  settle (400);
  fixture_picture (self, "huge-paste");
  g_signal_emit_by_name (self->window->composer, "send");
  assert_quick ("asked", 1000);
  fixture_wait (has_sent, self);
  g_assert_nonnull (strstr (self->script.asked->str, "Pasted text.txt:\n```\nThe quick brown fox 0 "));
  g_assert_nonnull (strstr (self->script.asked->str, "Short, please."));

  /* what is refused is said to be large, not to be no text */
  paste (self, too_much);
  fixture_wait (has_looked, self);
  g_assert_cmpint (facet_attachment_get_state (attached (self)), ==, FACET_ATTACHMENT_REFUSED);
  g_assert_cmpstr (facet_attachment_get_details (attached (self)), ==, "The file is too large.");
}

/* A message of megabytes, as chats from elsewhere may hold. */
static void
test_question (Fixture *self, gconstpointer data)
{
  g_autofree char *text = prose (5 << 20);
  gint64 begun = fixture_thread_time ();

  fixture_ask (self, text);
  g_assert_cmpint (fixture_thread_time () - begun, <, 4 * LONG_USEC);
  assert_quick ("shown", 1000);
  fixture_wait (fixture_idle, self);
  fixture_picture (self, "huge-question");
}

/* In one paragraph; twice as long ones are scrolled within. */
static void
test_paragraph (Fixture *self, gconstpointer data)
{
  g_autofree char *text = prose (8000);
  gint64 longest;

  fixture_ask (self, g_strdelimit (text, "\n", ' '));
  longest = longest_iteration (1000);
  g_test_message ("shown: %.0f ms", longest / 1000.0);
  g_assert_cmpint (longest, <, FRAME_USEC);
  fixture_wait (fixture_idle, self);
}

static GtkWidget *
list_of (Fixture *self)
{
  for (GtkWidget *at = self->window->view; at != NULL; at = gtk_widget_get_first_child (at))
    if (GTK_IS_LIST_BOX (at))
      return at;
  g_assert_not_reached ();
}

static guint
n_rows (Fixture *self)
{
  guint n = 0;

  while (gtk_list_box_get_row_at_index (GTK_LIST_BOX (list_of (self)), (int) n) != NULL)
    n++;
  return n;
}

static float
place_of (Fixture *self, GtkWidget *row)
{
  graphene_rect_t place;

  g_assert_true (gtk_widget_compute_bounds (row, self->window->view, &place));
  return place.origin.y;
}

static GtkScrolledWindow *
scroller_of (Fixture *self)
{
  return GTK_SCROLLED_WINDOW (gtk_widget_get_ancestor (list_of (self), GTK_TYPE_SCROLLED_WINDOW));
}

/* Until nothing more is laid out: a piece comes in each frame, and frames may be slow. */
static void
rest (Fixture *self)
{
  GtkAdjustment *at = gtk_scrolled_window_get_vadjustment (scroller_of (self));
  double height;

  do {
    height = gtk_adjustment_get_upper (at);
    settle (500);
  } while (gtk_adjustment_get_upper (at) != height);
}

/* @n questions, each with @answer. Returns the chat. */
static gint64
make_chat (Fixture *self, guint n, const char *answer)
{
  FacetStoreMessage message = { .chat_id = facet_store_add_chat (self->store, "Long", NULL), .status = FACET_MESSAGE_DONE };

  for (guint i = 0; i < 2 * n; i++) {
    message.role = i % 2 == 0 ? FACET_STORE_ROLE_USER : FACET_STORE_ROLE_MODEL;
    message.text = (char *) (i % 2 == 0 ? "Go on" : answer);
    message.parent_id = facet_store_add_message (self->store, &message, NULL);
    g_assert_cmpint (message.parent_id, !=, 0);
  }
  return message.chat_id;
}

/* Twenty answers of 5,000 tokens: rows are made as they are looked at. */
static void
test_answers (Fixture *self, gconstpointer data)
{
  g_autofree char *text = prose (25000);
  gint64 longest;
  GtkWidget *first;
  float place;
  guint n;

  longest = fixture_thread_time ();
  facet_window_open_chat (self->window, make_chat (self, 20, text));
  g_test_message ("made: %.0f ms", (fixture_thread_time () - longest) / 1000.0);
  longest = longest_iteration (1000);
  g_test_message ("opened: %.0f ms", longest / 1000.0);
  g_assert_cmpint (longest, <, FRAME_USEC);
  rest (self);
  n = n_rows (self);
  g_assert_cmpuint (n, <, 40);
  g_assert_true (facet_chat_view_is_at_end (FACET_CHAT_VIEW (self->window->view)));

  /* at the top there is more; what was read stays where it is */
  gtk_adjustment_set_value (gtk_scrolled_window_get_vadjustment (scroller_of (self)), 0);
  rest (self);
  first = GTK_WIDGET (gtk_list_box_get_row_at_index (GTK_LIST_BOX (list_of (self)), 0));
  place = place_of (self, first);
  g_signal_emit_by_name (scroller_of (self), "edge-reached", GTK_POS_TOP);
  longest = longest_iteration (1000);
  g_test_message ("scrolled: %.0f ms", longest / 1000.0);
  g_assert_cmpint (longest, <, FRAME_USEC);
  rest (self);
  g_assert_cmpuint (n_rows (self), >, n);
  g_assert_cmpfloat_with_epsilon (place_of (self, first), place, 1);
  for (int i = 0; i < 200 && n_rows (self) < 40; i++) {
    g_signal_emit_by_name (scroller_of (self), "edge-reached", GTK_POS_TOP);
    settle (100);
  }
  g_assert_cmpuint (n_rows (self), ==, 40);
}

/* A branch may have fewer messages than are left out above. */
static void
test_short_branch (Fixture *self, gconstpointer data)
{
  gint64 first;

  facet_window_open_chat (self->window, make_chat (self, 30, "A short answer."));
  settle (300);
  first = facet_message_get_id (facet_conversation_get_message (self->window->conversation, 0));
  g_assert_cmpuint (n_rows (self), ==, 40);
  gtk_widget_activate_action (GTK_WIDGET (self->window), "chat.edit", "x", first);
  fixture_ask (self, "Otherwise");
  fixture_wait (fixture_idle, self);
  settle (300);
  g_assert_cmpuint (n_rows (self), ==, 2);
}

static void
test_chats (Fixture *self, gconstpointer data)
{
  gint64 begun;

  for (int i = 0; i < 200; i++) {
    g_autofree char *title = g_strdup_printf ("Chat number %d about something rather long that must be cut", i);

    g_assert_cmpint (facet_store_add_chat (self->store, title, NULL), !=, 0);
  }
  gtk_window_destroy (GTK_WINDOW (self->window));
  begun = fixture_thread_time ();
  self->window = facet_window_new (NULL, self->store, self->service, self->library, self->settings);
  gtk_window_present (GTK_WINDOW (self->window));
  g_assert_cmpint (fixture_thread_time () - begun, <, LONG_USEC);
  assert_quick ("started", 500);
  fixture_picture (self, "many-chats");
  gtk_editable_set_text (self->window->search, "number");
  assert_quick ("searched", 500);
  fixture_picture (self, "many-hits");
}

int
main (int argc, char *argv[])
{
#define ADD(name, func) g_test_add ("/large/" name, Fixture, NULL, fixture_set_up, func, fixture_tear_down)
  if (!fixture_start (&argc, &argv))
    return 0;
  ADD ("paste", test_paste);
  ADD ("question", test_question);
  ADD ("paragraph", test_paragraph);
  ADD ("answers", test_answers);
  ADD ("short-branch", test_short_branch);
  ADD ("chats", test_chats);
  return g_test_run ();
}
