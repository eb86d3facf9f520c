/* The window as a person uses it, over a scripted engine. With
 * FACET_SCREENSHOTS=folder pictures of its states are written there. */
#include <adwaita.h>
#include <glib/gstdio.h>
#include <string.h>

#include "chat/facet-markdown-view.h"
#include "chat/facet-message-row.h"
#include "ui-fixture.h"
#include "widget-picture.h"

static const char rich[] =
  "## How a lens bends light\n\nLight **slows down** in glass. The ratio of the speeds is the *refractive index* `n`, "
  "see [Snell's law](https://example.org/snell).\n\n1. Measure the angle of incidence.\n2. Measure the angle of "
  "refraction.\n   - Repeat it three times.\n3. Divide the sines.\n\n| Material | Index | Speed |\n|:--|--:|--:|\n"
  "| Water | 1.33 | 225,000 km/s |\n| Glass | 1.52 | 197,000 km/s |\n| Diamond | 2.42 | 124,000 km/s |\n\n"
  "```python\ndef snell(n1, n2, angle):\n    return math.asin(n1 / n2 * math.sin(angle))\n```\n\n"
  "> The <b>tag</b> here is text.\n";

static void
test_ask (Fixture *self, gconstpointer data)
{
  gint64 chat_id;

  fixture_picture (self, "welcome");
  self->script.answer = rich;
  fixture_ask (self, "How does a lens bend light?");
  fixture_wait (fixture_idle, self);
  g_assert_cmpstr (facet_message_get_text (fixture_last (self)), ==, rich);
  g_assert_cmpint (facet_message_get_status (fixture_last (self)), ==, FACET_MESSAGE_DONE);
  g_assert_cmpstr (self->script.asked->str, ==, "user: How does a lens bend light?\n");

  /* it is in the store, and a second look shows the same */
  chat_id = facet_conversation_get_chat_id (self->window->conversation);
  gtk_widget_activate_action (GTK_WIDGET (self->window), "win.new-chat", NULL);
  g_assert_null (fixture_last (self));
  facet_window_open_chat (self->window, chat_id);
  g_assert_cmpstr (facet_message_get_text (fixture_last (self)), ==, rich);
  fixture_picture (self, "conversation");
}

static gboolean
shows (GtkWidget *widget, const char *text)
{
  if (GTK_IS_LABEL (widget) && gtk_widget_get_mapped (widget) && strstr (gtk_label_get_text (GTK_LABEL (widget)), text) != NULL)
    return TRUE;
  for (GtkWidget *child = gtk_widget_get_first_child (widget); child != NULL; child = gtk_widget_get_next_sibling (child))
    if (shows (child, text))
      return TRUE;
  return FALSE;
}

static gboolean
has_words (Fixture *self)
{
  return fixture_last (self) != NULL && strlen (facet_message_get_text (fixture_last (self))) > 20;
}

static void
test_stop (Fixture *self, gconstpointer data)
{
  g_autofree char *text = fixture_words (1000);
  gint64 asked;

  self->script.answer = text;
  self->script.delay_usec = 10000;
  fixture_ask (self, "Count");
  fixture_wait (has_words, self);
  asked = g_get_monotonic_time ();
  gtk_widget_activate_action (GTK_WIDGET (self->window), "win.stop", NULL);
  fixture_wait (fixture_idle, self);
  g_assert_cmpint (g_get_monotonic_time () - asked, <, 200000);
  g_assert_cmpint (facet_message_get_status (fixture_last (self)), ==, FACET_MESSAGE_STOPPED);
  g_assert_true (g_str_has_prefix (text, facet_message_get_text (fixture_last (self))));
}

static void
test_branches (Fixture *self, gconstpointer data)
{
  gint64 id;

  self->script.answer = "First";
  fixture_ask (self, "Question");
  fixture_wait (fixture_idle, self);
  id = facet_message_get_id (fixture_last (self));
  self->script.answer = "Second";
  gtk_widget_activate_action (GTK_WIDGET (self->window), "chat.regenerate", "x", id);
  fixture_wait (fixture_idle, self);
  g_assert_cmpstr (facet_message_get_text (fixture_last (self)), ==, "Second");
  g_assert_cmpuint (facet_message_get_record (fixture_last (self))->sibling_count, ==, 2);
  gtk_widget_activate_action (GTK_WIDGET (self->window), "chat.branch", "(xu)", facet_message_get_id (fixture_last (self)), 0);
  g_assert_cmpstr (facet_message_get_text (fixture_last (self)), ==, "First");

  /* an edited question begins a branch; the old one stays */
  id = facet_message_get_id (facet_conversation_get_message (self->window->conversation, 0));
  gtk_widget_activate_action (GTK_WIDGET (self->window), "chat.edit", "x", id);
  fixture_ask (self, "Other question");
  fixture_wait (fixture_idle, self);
  g_assert_cmpuint (facet_conversation_get_length (self->window->conversation), ==, 2);
  g_assert_cmpstr (self->script.asked->str, ==, "user: Other question\n");
  g_assert_cmpuint (
    facet_message_get_record (facet_conversation_get_message (self->window->conversation, 0))->sibling_count, ==, 2);
  fixture_picture (self, "branches");
}

static void
test_delete_undo (Fixture *self, gconstpointer data)
{
  gint64 chat_id;
  gint64 id;

  fixture_ask (self, "Question");
  fixture_wait (fixture_idle, self);
  chat_id = facet_conversation_get_chat_id (self->window->conversation);
  id = facet_message_get_id (fixture_last (self));
  gtk_widget_activate_action (GTK_WIDGET (self->window), "chat.delete", "x", id);
  g_assert_cmpuint (facet_conversation_get_length (self->window->conversation), ==, 1);
  gtk_widget_activate_action (GTK_WIDGET (self->window), "chat.undelete", "(xx)", chat_id, id);
  g_assert_cmpuint (facet_conversation_get_length (self->window->conversation), ==, 2);

  gtk_widget_activate_action (GTK_WIDGET (self->window), "win.delete-chat", NULL);
  g_assert_cmpint (facet_conversation_get_chat_id (self->window->conversation), ==, 0);
  gtk_widget_activate_action (GTK_WIDGET (self->window), "win.undelete-chat", "x", chat_id);
  g_assert_cmpint (facet_conversation_get_chat_id (self->window->conversation), ==, chat_id);
}

/* What is being answered is not changed meanwhile, nor deleted. */
static void
test_delete_while_answering (Fixture *self, gconstpointer data)
{
  g_autofree char *text = fixture_words (1000);
  FacetConversation *conversation;
  gint64 chat_id;

  self->script.answer = text;
  self->script.delay_usec = 10000;
  fixture_ask (self, "Count");
  fixture_wait (has_words, self);
  conversation = self->window->conversation;
  chat_id = facet_conversation_get_chat_id (conversation);
  gtk_widget_activate_action (GTK_WIDGET (self->window), "chat.delete", "x",
                              facet_message_get_id (facet_conversation_get_message (conversation, 0)));
  gtk_widget_activate_action (GTK_WIDGET (self->window), "win.delete-chat", NULL);
  g_assert_cmpint (facet_conversation_get_chat_id (self->window->conversation), ==, chat_id);
  g_assert_cmpuint (facet_conversation_get_length (self->window->conversation), ==, 2);
  g_assert_true (shows (GTK_WIDGET (self->window), "Stop the answer first."));
  gtk_widget_activate_action (GTK_WIDGET (self->window), "win.stop", NULL);
  fixture_wait (fixture_idle, self);
  gtk_widget_activate_action (GTK_WIDGET (self->window), "win.delete-chat", NULL);
  g_assert_cmpint (facet_conversation_get_chat_id (self->window->conversation), ==, 0);
}

static void
test_failure (Fixture *self, gconstpointer data)
{
  self->script.fail = FACET_ERROR_NO_MEMORY + 1;
  fixture_ask (self, "Question");
  fixture_wait (fixture_idle, self);
  g_assert_cmpint (facet_message_get_status (fixture_last (self)), ==, FACET_MESSAGE_FAILED);
  g_assert_nonnull (strstr (facet_message_get_record (fixture_last (self))->failure, "memory"));
  fixture_picture (self, "failure");
}

static void
count_cb (guint *n)
{
  ++*n;
}

/* The model is loaded anew by itself. */
static void
test_model_changed (Fixture *self, gconstpointer data)
{
  guint loads = 0;

  g_signal_connect_swapped (self->service, "loaded", G_CALLBACK (count_cb), &loads);
  self->script.fail = FACET_ERROR_CHANGED + 1;
  fixture_ask (self, "Question");
  fixture_wait (fixture_idle, self);
  g_assert_nonnull (strstr (facet_message_get_record (fixture_last (self))->failure, "changed while it was in use"));
  g_assert_cmpuint (loads, ==, 1);
  self->script.fail = 0;
  gtk_widget_activate_action (GTK_WIDGET (self->window), "chat.regenerate", "x", facet_message_get_id (fixture_last (self)));
  fixture_wait (fixture_idle, self);
  g_assert_cmpint (facet_message_get_status (fixture_last (self)), ==, FACET_MESSAGE_DONE);
  g_assert_cmpuint (loads, ==, 1);
}

/* No iteration of the main loop may take 50 ms while a long answer comes. What
 * counts is the thread's own time: a busy machine is not the window's fault. */
static void
test_never_blocks (Fixture *self, gconstpointer data)
{
  g_autofree char *text = fixture_words (5200);
  gint64 longest = 0;

  self->script.answer = text;
  self->script.delay_usec = 1500;
  fixture_ask (self, "Count");
  while (!fixture_idle (self)) {
    gint64 start = fixture_thread_time ();

    if (!g_main_context_iteration (NULL, FALSE))
      g_usleep (500);
    start = fixture_thread_time () - start;
    longest = MAX (longest, start);
  }
  g_test_message ("longest iteration: %.1f ms", longest / 1000.0);
  g_assert_cmpint (longest, <, 50000 * FIXTURE_SLOWED);
  g_assert_cmpstr (facet_message_get_text (fixture_last (self)), ==, text);
  settle (200);
  g_assert_true (facet_chat_view_is_at_end (FACET_CHAT_VIEW (self->window->view)));
}

static void
test_close_while_answering (Fixture *self, gconstpointer data)
{
  g_autofree char *text = fixture_words (1000);
  g_autoptr (GPtrArray) branch = NULL;
  gint64 chat_id;

  self->script.answer = text;
  self->script.delay_usec = 5000;
  fixture_ask (self, "Count");
  fixture_wait (has_words, self);
  chat_id = facet_conversation_get_chat_id (self->window->conversation);
  g_object_ref (self->window);
  gtk_window_destroy (GTK_WINDOW (self->window));
  g_object_run_dispose (G_OBJECT (self->window));
  g_object_unref (self->window);
  branch = facet_store_get_branch (self->store, chat_id, NULL);
  g_assert_cmpuint (branch->len, ==, 2);
  g_assert_cmpint (((FacetStoreMessage *) branch->pdata[1])->status, ==, FACET_MESSAGE_STOPPED);
  g_assert_cmpuint (strlen (((FacetStoreMessage *) branch->pdata[1])->text), >, 20);
  self->window = facet_window_new (NULL, self->store, self->service, self->library, self->settings);
}

static void
test_modes (Fixture *self, gconstpointer data)
{
  g_settings_set_string (self->settings, "target-language", "German");
  _facet_window_choose_mode (self->window, facet_mode_find ("translate"));
  fixture_ask (self, "Good {language} morning");
  fixture_wait (fixture_idle, self);
  g_assert_cmpstr (self->script.asked->str, ==,
                   "user: Translate the following into German. Answer with the translation only.\n\n"
                   "Good {language} morning\n");
  /* the message itself holds what was typed */
  g_assert_cmpstr (facet_message_get_text (facet_conversation_get_message (self->window->conversation, 0)), ==,
                   "Good {language} morning");
}

static FacetAttachment *
attach (Fixture *self, const char *name, const char *bytes, gsize length)
{
  g_autofree char *path = g_build_filename (self->folder, name, NULL);
  g_autoptr (GFile) file = g_file_new_for_path (path);
  GListModel *attachments = facet_composer_get_attachments (self->window->composer);
  FacetAttachment *attachment;

  g_assert_true (g_file_set_contents (path, bytes, length, NULL));
  facet_window_attach (self->window, file);
  attachment = g_list_model_get_item (attachments, g_list_model_get_n_items (attachments) - 1);
  g_object_unref (attachment); /* the list keeps it */
  while (facet_attachment_get_state (attachment) == FACET_ATTACHMENT_LOOKING)
    g_main_context_iteration (NULL, TRUE);
  return attachment;
}

/* A recording in the mode for it is written down, not asked about; later
 * questions have its text instead of it. */
static void
test_transcription (Fixture *self, gconstpointer data)
{
  g_autofree char *path = g_build_filename (g_getenv ("FACET_TEST_DATA"), "kit", "inputs", "chirp.wav", NULL), *wave = NULL;
  FacetLoadSpec spec = { .path = (char *) "model.gguf" };
  gsize length;

  self->script.hears = TRUE;
  facet_engine_service_load (self->service, &spec);
  fixture_wait (fixture_idle, self);
  g_assert_true (g_file_get_contents (path, &wave, &length, NULL));
  _facet_window_choose_mode (self->window, facet_mode_find ("transcribe"));
  attach (self, "note.wav", wave, length);
  fixture_ask (self, "The speaker is Anna.");
  fixture_wait (fixture_idle, self);
  g_assert_cmpstr (self->script.asked->str, ==,
                   "instruction: Transcribe this recording in its own language. Answer with the transcript only.\n"
                   "The speaker is Anna.\n"
                   "user: <file> Transcribe this recording in its own language. Answer with the transcript only.\n"
                   "The speaker is Anna.\n");

  _facet_window_choose_mode (self->window, facet_mode_find ("chat"));
  fixture_ask (self, "Who speaks?");
  fixture_wait (fixture_idle, self);
  g_assert_null (strstr (self->script.asked->str, "<file>"));
  g_assert_true (g_str_has_suffix (self->script.asked->str, "model: A short answer.\nuser: Who speaks?\n"));

  /* as the person corrected it */
  gtk_widget_activate_action (GTK_WIDGET (self->window), "chat.correct", "(xs)",
                              facet_message_get_id (facet_conversation_get_message (self->window->conversation, 1)), "I am Anna.");
  fixture_ask (self, "Who else?");
  fixture_wait (fixture_idle, self);
  g_assert_null (strstr (self->script.asked->str, "<file>"));
  g_assert_true (g_str_has_suffix (self->script.asked->str, "model: I am Anna.\nuser: Who speaks?\nmodel: A short answer.\nuser: Who else?\n"));
}

/* What a file is tells its content; what cannot be read is refused with a
 * reason, and nothing is sent while it is there. */
static void
test_attachments (Fixture *self, gconstpointer data)
{
  static const char picture[] = "\x89PNG\r\n\x1a\n damaged";
  FacetAttachment *notes = attach (self, "notes.png", "Plain words", 11);

  g_assert_cmpint (facet_attachment_get_state (notes), ==, FACET_ATTACHMENT_READY);
  g_assert_cmpint (facet_attachment_get_kind (notes), ==, FACET_ATTACHMENT_TEXT);
  fixture_ask (self, "Sum it up");
  fixture_wait (fixture_idle, self);
  g_assert_nonnull (strstr (self->script.asked->str, "notes.png:\n```\nPlain words\n```"));
  g_assert_cmpuint (g_list_model_get_n_items (facet_composer_get_attachments (self->window->composer)), ==, 0);

  notes = attach (self, "damaged.txt", picture, sizeof picture);
  g_assert_cmpint (facet_attachment_get_state (notes), ==, FACET_ATTACHMENT_REFUSED);
  g_assert_cmpuint (strlen (facet_attachment_get_details (notes)), >, 10);
  facet_composer_set_text (self->window->composer, "Look");
  g_assert_false (gtk_widget_get_sensitive (GTK_WIDGET (
    gtk_widget_get_template_child (GTK_WIDGET (self->window->composer), FACET_TYPE_COMPOSER, "send"))));
  fixture_picture (self, "refused");
}

/* Texts, written and attached, and recordings become summaries, whatever their length. */
static void
test_summary (Fixture *self, gconstpointer data)
{
  static const char words[] = "Summarise the following in German: the main points first, then what was decided and what is to be done, "
                              "if anything is. Keep names, figures and dates. Answer with the summary only.\n\n";
  static const char spoken[] = "Summarise what is said in this recording in German: the main points first, then what was decided and what "
                               "is to be done, if anything is. Keep names, figures and dates. Answer with the summary only.";
  g_autofree char *path = g_build_filename (g_getenv ("FACET_TEST_DATA"), "kit", "inputs", "chirp.wav", NULL), *wave = NULL;
  g_autofree char *written = g_strdup_printf ("summary: [%s][][notes.txt:\n```\nWe meet on Monday.\n```\n\nAnd on Tuesday.]\n", words);
  g_autofree char *heard = g_strdup_printf ("instruction: Transcribe this recording in its own language. Answer with the transcript only.\n"
                                            "summary: [%s\n\n][][]\nuser: <file> %s\n", spoken, spoken);
  FacetLoadSpec spec = { .path = (char *) "model.gguf" };
  gsize length;

  self->script.hears = TRUE;
  facet_engine_service_load (self->service, &spec);
  fixture_wait (fixture_idle, self);
  g_settings_set_string (self->settings, "target-language", "German");
  _facet_window_choose_mode (self->window, facet_mode_find ("summarise"));
  attach (self, "notes.txt", "We meet on Monday.", -1);
  fixture_ask (self, "And on Tuesday.");
  fixture_wait (fixture_idle, self);
  g_assert_true (g_str_has_prefix (self->script.asked->str, written));

  gtk_widget_activate_action (GTK_WIDGET (self->window), "win.new-chat", NULL);
  _facet_window_choose_mode (self->window, facet_mode_find ("summarise"));
  g_assert_true (g_file_get_contents (path, &wave, &length, NULL));
  attach (self, "talk.wav", wave, (gssize) length);
  fixture_ask (self, "");
  fixture_wait (fixture_idle, self);
  g_assert_cmpstr (self->script.asked->str, ==, heard);
  g_settings_reset (self->settings, "target-language");
}

/* What does not fit is said in words that help; an answer that the context cut
 * short does not pass for a whole one. */
static void
test_context_full (Fixture *self, gconstpointer data)
{
  g_autofree char *path = g_build_filename (g_getenv ("FACET_TEST_DATA"), "kit", "inputs", "chirp.wav", NULL), *wave = NULL;
  FacetLoadSpec spec = { .path = (char *) "model.gguf" };
  gint64 chat;
  gsize length;

  self->script.hears = TRUE;
  facet_engine_service_load (self->service, &spec);
  fixture_wait (fixture_idle, self);
  self->script.fail = FACET_ERROR_CONTEXT_FULL + 1;
  fixture_ask (self, "Question");
  fixture_wait (fixture_idle, self);
  g_assert_cmpstr (facet_message_get_record (fixture_last (self))->failure, ==,
                   "The conversation no longer fits the context. Start a new chat or, if the model allows more, raise the context length.");
  g_assert_true (g_file_get_contents (path, &wave, &length, NULL));
  attach (self, "talk.wav", wave, (gssize) length);
  fixture_ask (self, "What is said?");
  fixture_wait (fixture_idle, self);
  g_assert_true (g_str_has_suffix (facet_message_get_record (fixture_last (self))->failure,
                                   "Transcribe a long recording first, then ask about its text."));

  self->script.fail = 0;
  self->script.end = FACET_STOP_CONTEXT;
  gtk_widget_activate_action (GTK_WIDGET (self->window), "win.new-chat", NULL);
  fixture_ask (self, "Go on");
  fixture_wait (fixture_idle, self);
  g_assert_true (shows (GTK_WIDGET (self->window), "The answer ends here because the context is full."));
  g_assert_false (shows (GTK_WIDGET (self->window), "The answer is complete."));
  fixture_picture (self, "context-full");
  chat = facet_conversation_get_chat_id (self->window->conversation);
  gtk_widget_activate_action (GTK_WIDGET (self->window), "win.new-chat", NULL);
  g_assert_false (shows (GTK_WIDGET (self->window), "The answer ends here"));
  facet_window_open_chat (self->window, chat);
  g_assert_true (shows (GTK_WIDGET (self->window), "The answer ends here because the context is full."));
  self->script.end = FACET_STOP_LOOP;
  fixture_ask (self, "Again");
  fixture_wait (fixture_idle, self);
  g_assert_true (shows (GTK_WIDGET (self->window), "began to repeat itself"));
}

/* A stored file that is gone is not left out of a question in silence. */
static void
test_missing_file (Fixture *self, gconstpointer data)
{
  g_autofree char *path = NULL;
  const FacetStoreMessage *question;

  attach (self, "notes.txt", "Milk and bread", -1);
  fixture_ask (self, "Sum it up");
  fixture_wait (fixture_idle, self);
  g_assert_null (strstr (self->script.asked->str, "missing: "));
  question = facet_message_get_record (facet_conversation_get_message (self->window->conversation, 0));
  path = facet_store_attachment_path (self->store, question->attachments->pdata[0]);
  g_assert_cmpint (g_unlink (path), ==, 0);
  fixture_ask (self, "And now?");
  fixture_wait (fixture_idle, self);
  g_assert_nonnull (strstr (self->script.asked->str, "missing: "));
  g_assert_nonnull (strstr (self->script.asked->str, path));
}

/* The label below @widget that begins with @text. */
static GtkWidget *
find_label (GtkWidget *widget, const char *text)
{
  GtkWidget *found = GTK_IS_LABEL (widget) && g_str_has_prefix (gtk_label_get_text (GTK_LABEL (widget)), text) ? widget : NULL;

  for (GtkWidget *child = gtk_widget_get_first_child (widget); found == NULL && child != NULL; child = gtk_widget_get_next_sibling (child))
    found = find_label (child, text);
  return found;
}

static gboolean
runs_right_to_left (Fixture *self, const char *text)
{
  GtkWidget *label = find_label (self->window->view, text);

  g_assert_nonnull (label);
  return gtk_widget_get_direction (label) == GTK_TEXT_DIR_RTL;
}

/* Whether the first line of code is laid out from right to left. */
static gboolean
is_code_turned (Fixture *self, const char *text)
{
  GtkWidget *label = find_label (self->window->view, text);
  PangoLayout *layout = gtk_label_get_layout (GTK_LABEL (label));

  return pango_layout_line_get_resolved_direction (pango_layout_get_line_readonly (layout, 0)) == PANGO_DIRECTION_RTL;
}

/* Each paragraph and table runs as its own text does, whatever the window's language; code always from left to right. */
static void
test_arabic (Fixture *self, gconstpointer data)
{
  static const char code[] = "// عدسة";

  self->script.answer = "# عنوان\n\nهذا نص **عربي** طويل.\n\n1. أولا\n2. ثانيا\n\nAnd one line in English.\n\n"
                        "```c\n// عدسة\nint x = 1;\n```\n\n| الاسم | *Value* |\n|---|---|\n| محدبة | 42 |\n\n"
                        "| Name | عربي |\n|---|---|\n| convex | 43 |\n";
  for (GtkTextDirection direction = GTK_TEXT_DIR_LTR; direction <= GTK_TEXT_DIR_RTL; direction++) {
    gtk_widget_set_default_direction (direction);
    fixture_ask (self, "ما هو الضوء؟");
    fixture_wait (fixture_idle, self);
    settle (100);
    g_assert_true (runs_right_to_left (self, "ما هو"));
    g_assert_true (runs_right_to_left (self, "هذا نص"));
    g_assert_false (runs_right_to_left (self, "And one line"));
    g_assert_true (runs_right_to_left (self, "محدبة") && runs_right_to_left (self, "42"));
    g_assert_false (runs_right_to_left (self, "convex") || runs_right_to_left (self, "43"));
    g_assert_false (is_code_turned (self, code));
  }
  fixture_picture (self, "arabic");
  gtk_widget_set_default_direction (GTK_TEXT_DIR_LTR);
}

/* Folding is animated. */
static gboolean
is_narrow (Fixture *self)
{
  return gtk_widget_get_width (GTK_WIDGET (self->window)) <= 360 && adw_leaflet_get_folded (self->window->leaflet);
}

/* What cannot be told from the text must not be added to it. */
static void
test_endless_word (Fixture *self, gconstpointer data)
{
  static const char word[] = "https://example.org/abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz";
  GtkWidget *label;
  PangoLayout *layout;
  int glyphs = 0;

  self->script.answer = word;
  gtk_window_set_default_size (GTK_WINDOW (self->window), 360, 640);
  fixture_ask (self, "Where?");
  fixture_wait (fixture_idle, self);
  fixture_wait (is_narrow, self);
  label = find_label (self->window->view, "https:");
  layout = gtk_label_get_layout (GTK_LABEL (label));
  g_assert_cmpint (pango_layout_get_line_count (layout), >, 1);
  for (int i = 0; i < pango_layout_get_line_count (layout); i++)
    for (GSList *run = pango_layout_get_line_readonly (layout, i)->runs; run != NULL; run = run->next)
      glyphs += ((PangoGlyphItem *) run->data)->glyphs->num_glyphs;
  g_assert_cmpint (glyphs, ==, (int) strlen (word));
}

static void
test_looks (Fixture *self, gconstpointer data)
{
  int minimum;

  self->script.answer = rich;
  fixture_ask (self, "How does a lens bend light?");
  fixture_wait (fixture_idle, self);
  adw_style_manager_set_color_scheme (adw_style_manager_get_default (), ADW_COLOR_SCHEME_FORCE_DARK);
  fixture_picture (self, "dark");
  adw_style_manager_set_color_scheme (adw_style_manager_get_default (), ADW_COLOR_SCHEME_DEFAULT);
  gtk_window_set_default_size (GTK_WINDOW (self->window), 360, 640);
  fixture_wait (is_narrow, self);
  settle (100);
  g_assert_true (facet_chat_view_is_at_end (FACET_CHAT_VIEW (self->window->view)));
  settle (500);
  gtk_widget_measure (GTK_WIDGET (self->window), GTK_ORIENTATION_HORIZONTAL, -1, &minimum, NULL, NULL, NULL);
  g_assert_cmpint (minimum, <=, 360);
  fixture_picture (self, "narrow");
}

/* What the scroll bar says is what is seen: the last row ends where the view
 * does, also after the last word. */
static void
test_end_is_seen (Fixture *self, gconstpointer data)
{
  GtkWidget *row = NULL;
  graphene_rect_t place;

  self->script.answer = rich;
  fixture_ask (self, "How does a lens bend light?");
  fixture_wait (fixture_idle, self);
  settle (500);
  for (GtkWidget *at = self->window->view; at != NULL; at = gtk_widget_get_first_child (at))
    if (GTK_IS_LIST_BOX (at))
      row = gtk_widget_get_last_child (at);
  g_assert_true (gtk_widget_compute_bounds (row, self->window->view, &place));
  g_test_message ("the last row ends at %.0f of %d", place.origin.y + place.size.height,
                  gtk_widget_get_height (self->window->view));
  g_assert_cmpfloat (place.origin.y + place.size.height, <=, gtk_widget_get_height (self->window->view));
  g_assert_true (facet_chat_view_is_at_end (FACET_CHAT_VIEW (self->window->view)));
}

/* Everything can be reached at 200 % text in a window of twice the least width. */
static void
test_large_text (Fixture *self, gconstpointer data)
{
  GtkSettings *gtk = gtk_settings_get_default ();
  int minimum;
  int dpi;

  g_object_get (gtk, "gtk-xft-dpi", &dpi, NULL);
  g_object_set (gtk, "gtk-xft-dpi", 192 * 1024, NULL);
  self->script.answer = rich;
  fixture_ask (self, "How does a lens bend light?");
  fixture_wait (fixture_idle, self);
  settle (200);
  gtk_widget_measure (self->window->content, GTK_ORIENTATION_HORIZONTAL, -1, &minimum, NULL, NULL, NULL);
  g_test_message ("least width at 200 %% text: %d", minimum);
  g_assert_cmpint (minimum, <=, 720);
  fixture_picture (self, "large-text");
  g_object_set (gtk, "gtk-xft-dpi", dpi, NULL);
  settle (100);
}

int
main (int argc, char *argv[])
{
#define ADD(name, func) g_test_add ("/window/" name, Fixture, NULL, fixture_set_up, func, fixture_tear_down)
  if (!fixture_start (&argc, &argv))
    return 0;
  ADD ("ask", test_ask);
  ADD ("stop", test_stop);
  ADD ("branches", test_branches);
  ADD ("delete-undo", test_delete_undo);
  ADD ("delete-while-answering", test_delete_while_answering);
  ADD ("failure", test_failure);
  ADD ("model-changed", test_model_changed);
  ADD ("never-blocks", test_never_blocks);
  ADD ("close-while-answering", test_close_while_answering);
  ADD ("modes", test_modes);
  ADD ("transcription", test_transcription);
  ADD ("summary", test_summary);
  ADD ("context-full", test_context_full);
  ADD ("attachments", test_attachments);
  ADD ("missing-file", test_missing_file);
  ADD ("arabic", test_arabic);
  ADD ("endless-word", test_endless_word);
  ADD ("end-is-seen", test_end_is_seen);
  ADD ("looks", test_looks);
  ADD ("large-text", test_large_text);
  return g_test_run ();
}
