/* Writing a message: keys, files that come by paste and drop, what they cost. */
#include <adwaita.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>

#include "composer/facet-composer-private.h"
#include "ui-fixture.h"
#include "widget-find.h"
#include "widget-picture.h"

static void
set_up (Fixture *self, gconstpointer data)
{
  self->script.sees = TRUE;
  fixture_set_up (self, NULL);
}

static FacetComposer *
composer (Fixture *self)
{
  return self->window->composer;
}

static GFile *
make_file (Fixture *self, const char *name, const char *bytes, gssize length)
{
  g_autofree char *path = g_build_filename (self->folder, name, NULL);

  g_assert_true (g_file_set_contents (path, bytes, length, NULL));
  return g_file_new_for_path (path);
}

static void
attach (Fixture *self, const char *name, const char *bytes, gssize length)
{
  g_autoptr (GFile) file = make_file (self, name, bytes, length);

  facet_window_attach (self->window, file);
  fixture_wait (fixture_looked_at, self);
}

static GdkPixbuf *
chart (void)
{
  GdkPixbuf *pixbuf = gdk_pixbuf_new (GDK_COLORSPACE_RGB, TRUE, 8, 320, 200);

  gdk_pixbuf_fill (pixbuf, 0xffffff00);
  for (int i = 0; i < 6; i++) {
    g_autoptr (GdkPixbuf) bar = gdk_pixbuf_new_subpixbuf (pixbuf, 20 + 50 * i, 160 - 24 * i, 30, 30 + 24 * i);

    gdk_pixbuf_fill (bar, 0x3584e4ff);
  }
  return pixbuf;
}

static void
attach_picture (Fixture *self, const char *name, const char *type)
{
  g_autoptr (GdkPixbuf) pixbuf = chart ();
  g_autofree char *data = NULL;
  gsize size;

  g_assert_true (gdk_pixbuf_save_to_buffer (pixbuf, &data, &size, type, NULL, NULL));
  attach (self, name, data, (gssize) size);
}

static GtkEventController *
controller (GtkWidget *widget, GType type)
{
  g_autoptr (GListModel) controllers = gtk_widget_observe_controllers (widget);

  for (guint i = 0; i < g_list_model_get_n_items (controllers); i++) {
    g_autoptr (GtkEventController) found = g_list_model_get_item (controllers, i);

    if (G_TYPE_CHECK_INSTANCE_TYPE (found, type) &&
        (type != GTK_TYPE_EVENT_CONTROLLER_KEY || gtk_event_controller_get_propagation_phase (found) == GTK_PHASE_CAPTURE))
      return found;
  }
  g_assert_not_reached ();
}

/* ---- keys --------------------------------------------------------------- */

static gboolean
press (Fixture *self, guint key, GdkModifierType state)
{
  gboolean handled;

  g_signal_emit_by_name (controller (GTK_WIDGET (composer (self)->view), GTK_TYPE_EVENT_CONTROLLER_KEY), "key-pressed",
                         key, 0, state, &handled);
  return handled;
}

static guint
n_messages (Fixture *self)
{
  return facet_conversation_get_length (self->window->conversation);
}

static void
test_enter (Fixture *self, gconstpointer data)
{
  facet_composer_set_text (composer (self), "One");
  g_assert_false (press (self, GDK_KEY_Return, GDK_SHIFT_MASK)); /* the text view breaks the line */
  g_assert_false (press (self, GDK_KEY_a, 0));
  g_assert_cmpuint (n_messages (self), ==, 0);
  g_assert_true (press (self, GDK_KEY_Return, 0));
  fixture_wait (fixture_idle, self);
  g_assert_cmpuint (n_messages (self), ==, 2);

  g_settings_set_boolean (self->settings, "enter-sends", FALSE);
  facet_composer_set_text (composer (self), "Two");
  g_assert_false (press (self, GDK_KEY_KP_Enter, 0));
  g_assert_cmpuint (n_messages (self), ==, 2);
  g_assert_true (press (self, GDK_KEY_Return, GDK_CONTROL_MASK));
  fixture_wait (fixture_idle, self);
  g_assert_cmpuint (n_messages (self), ==, 4);
  g_settings_reset (self->settings, "enter-sends");

  /* nothing to send: Enter is no way round the button */
  g_assert_true (press (self, GDK_KEY_Return, 0));
  g_assert_cmpuint (n_messages (self), ==, 4);
}

static void
exited_cb (GObject *process, GAsyncResult *result, gpointer data)
{
  g_assert_true (g_subprocess_wait_check_finish (G_SUBPROCESS (process), result, NULL));
  *(gboolean *) data = TRUE;
}

static void
xdotool (const char *arguments)
{
  g_autofree char *line = g_strdup_printf ("xdotool %s", arguments);
  g_auto (GStrv) argv = g_strsplit (line, " ", -1);
  g_autoptr (GSubprocess) process = g_subprocess_newv ((const char *const *) argv, G_SUBPROCESS_FLAGS_NONE, NULL);
  gboolean exited = FALSE;

  g_subprocess_wait_check_async (process, NULL, exited_cb, &exited);
  while (!exited)
    g_main_context_iteration (NULL, TRUE);
  settle (150);
}

static gboolean
has_answer (Fixture *self)
{
  return n_messages (self) == 2 && fixture_idle (self);
}

/* Real keys: while an input method composes, Enter ends that and nothing else. */
static void
test_preedit (Fixture *self, gconstpointer data)
{
  g_autofree char *found = g_find_program_in_path ("xdotool");
  g_autofree char *text = NULL;
  g_autofree char *click = NULL;
  graphene_point_t at;

  if (found == NULL) {
    g_test_skip ("no xdotool to press keys with");
    return;
  }
  settle (300);
  g_assert_true (gtk_widget_compute_point (GTK_WIDGET (composer (self)->view), GTK_WIDGET (self->window),
                                           &GRAPHENE_POINT_INIT (30, 15), &at));
  click = g_strdup_printf ("mousemove %d %d click 1", (int) at.x, (int) at.y);
  xdotool (click);
  xdotool ("key ctrl+shift+u");
  xdotool ("key e 9");
  xdotool ("key Return");
  g_assert_cmpuint (n_messages (self), ==, 0);
  text = facet_composer_get_text (composer (self));
  g_assert_cmpstr (text, ==, "é");
  xdotool ("key shift+Return");
  g_assert_cmpuint (n_messages (self), ==, 0);
  xdotool ("type word");
  xdotool ("key Return");
  fixture_wait (has_answer, self);
  g_assert_cmpstr (self->script.asked->str, ==, "user: é\nword\n");
}

/* ---- paste and drop ----------------------------------------------------- */

/* Fills @value with a list of two files. */
static void
two_files (Fixture *self, GValue *value)
{
  g_autoptr (GFile) first = make_file (self, "first.txt", "First words", -1);
  g_autoptr (GFile) second = make_file (self, "second.txt", "Second words", -1);
  GFile *files[] = { first, second };

  g_value_init (value, GDK_TYPE_FILE_LIST);
  g_value_take_boxed (value, gdk_file_list_new_from_array (files, 2));
}

static gboolean
has_two (Fixture *self)
{
  return fixture_n_attached (self) == 2 && fixture_looked_at (self);
}

static void
test_paste (Fixture *self, gconstpointer data)
{
  GdkClipboard *clipboard = gtk_widget_get_clipboard (GTK_WIDGET (self->window));
  g_autoptr (GdkPixbuf) pixbuf = chart ();
  g_autoptr (GdkTexture) texture = gdk_texture_new_for_pixbuf (pixbuf);
  g_auto (GValue) files = G_VALUE_INIT;
  g_autofree char *text = NULL;

  two_files (self, &files);
  gdk_clipboard_set_value (clipboard, &files);
  g_signal_emit_by_name (composer (self)->view, "paste-clipboard");
  fixture_wait (has_two, self);
  g_assert_cmpstr (facet_attachment_get_name (fixture_attached (self, 1)), ==, "second.txt");
  facet_composer_clear (composer (self));

  gdk_clipboard_set (clipboard, GDK_TYPE_TEXTURE, texture);
  g_signal_emit_by_name (composer (self)->view, "paste-clipboard");
  fixture_wait (fixture_looked_at, self);
  g_assert_cmpint (facet_attachment_get_kind (fixture_attached (self, 0)), ==, FACET_ATTACHMENT_IMAGE);
  g_assert_true (g_str_has_prefix (facet_attachment_get_details (fixture_attached (self, 0)), "320 × 200"));
  facet_composer_clear (composer (self));

  /* words are words */
  gdk_clipboard_set_text (clipboard, "plain words");
  g_signal_emit_by_name (composer (self)->view, "paste-clipboard");
  settle (200);
  text = facet_composer_get_text (composer (self));
  g_assert_cmpstr (text, ==, "plain words");
  g_assert_cmpuint (fixture_n_attached (self), ==, 0);
}

static void
test_drop (Fixture *self, gconstpointer data)
{
  GtkEventController *target = controller (self->window->content, GTK_TYPE_DROP_TARGET);
  g_auto (GValue) value = G_VALUE_INIT;
  gboolean taken = FALSE;

  two_files (self, &value);
  g_signal_emit_by_name (target, "drop", &value, 10.0, 10.0, &taken);
  g_assert_true (taken);
  fixture_wait (has_two, self);
  facet_composer_set_text (composer (self), "Compare them");
  fixture_ask (self, "Compare them");
  fixture_wait (fixture_idle, self);
  g_assert_nonnull (strstr (self->script.asked->str, "first.txt:\n```\nFirst words\n```"));
  g_assert_nonnull (strstr (self->script.asked->str, "second.txt:\n```\nSecond words\n```"));
}

/* What lies on the network is refused without a look: nothing is opened that nobody asked for. */
static void
test_address (Fixture *self, gconstpointer data)
{
  g_autoptr (GFile) file = g_file_new_for_uri ("https://example.org/picture.png");

  facet_window_attach (self->window, file);
  fixture_wait (fixture_looked_at, self);
  g_assert_cmpint (facet_attachment_get_state (fixture_attached (self, 0)), ==, FACET_ATTACHMENT_REFUSED);
  g_assert_cmpstr (facet_attachment_get_details (fixture_attached (self, 0)), ==, "The file is not on this computer.");
}

static void
attach_path (Fixture *self, const char *path)
{
  g_autoptr (GFile) file = g_file_new_for_path (path);

  facet_window_attach (self->window, file);
}

/* What does not do is told by what it is. */
static void
test_refusals (Fixture *self, gconstpointer data)
{
  static const char *const sentences[] = { "It is a folder: attach the files in it.", "The file cannot be read.", "The file is empty.",
                                           "The picture is damaged: PNG image", "The picture is damaged: JPEG image",
                                           "It is no picture, sound or text that can be read.", "The file cannot be read." };
  g_autofree char *pipe = g_build_filename (self->folder, "pipe", NULL);
  g_autofree char *nothing = g_build_filename (self->folder, "nothing", NULL);
  static const char png[] = "\x89PNG\r\n\x1a\n\0\0\0\rIHDR";

  g_assert_cmpint (mkfifo (pipe, 0600), ==, 0);
  attach_path (self, self->folder);
  attach_path (self, pipe); /* nobody writes into it: its end never comes */
  attach (self, "empty.txt", "", 0);
  attach (self, "cut.txt", png, sizeof png - 1);
  attach (self, "cut.png", "\xff\xd8\xff\xe0", 4);
  attach (self, "binary", "\0\1\2\3", 4);
  attach_path (self, nothing);
  fixture_wait (fixture_looked_at, self);
  for (guint i = 0; i < G_N_ELEMENTS (sentences); i++) {
    g_assert_cmpint (facet_attachment_get_state (fixture_attached (self, i)), ==, FACET_ATTACHMENT_REFUSED);
    g_assert_cmpstr (facet_attachment_get_details (fixture_attached (self, i)), ==, sentences[i]);
  }
  g_remove (pipe);
}

/* Of texts in UTF-16, UTF-8 is kept. */
static void
test_utf16 (Fixture *self, gconstpointer data)
{
  static const char *const texts[] = { "\xff\xfeH\0\xfc\0", "\xfe\xff\0H\0\xfc" };

  for (guint i = 0; i < G_N_ELEMENTS (texts); i++) {
    g_autoptr (GBytes) expected = g_bytes_new_static ("Hü", strlen ("Hü"));

    attach (self, "note.txt", texts[i], 6);
    fixture_wait (fixture_looked_at, self);
    g_assert_cmpint (facet_attachment_get_kind (fixture_attached (self, i)), ==, FACET_ATTACHMENT_TEXT);
    g_assert_true (g_bytes_equal (facet_attachment_get_bytes (fixture_attached (self, i)), expected));
  }
  attach (self, "odd.txt", "\xff\xfeH\0\0\xd8", 6); /* half a pair */
  fixture_wait (fixture_looked_at, self);
  g_assert_cmpint (facet_attachment_get_state (fixture_attached (self, 2)), ==, FACET_ATTACHMENT_REFUSED);
}

static gboolean
is_laid_out (Fixture *self)
{
  GtkWidget *child = gtk_widget_get_last_child (composer (self)->chips);

  return child != NULL && gtk_widget_get_mapped (child) && gtk_widget_get_height (child) > 0;
}

/* However many there are, the conversation is seen and the message can be sent. */
static void
test_many (Fixture *self, gconstpointer data)
{
  graphene_rect_t bounds;

  gtk_window_set_default_size (GTK_WINDOW (self->window), 700, 500);
  fixture_ask (self, "Hello");
  fixture_wait (fixture_idle, self);
  for (int i = 0; i < 40; i++) {
    g_autofree char *name = g_strdup_printf ("note %d.txt", i);

    attach (self, name, "A note.", -1);
  }
  fixture_wait (fixture_looked_at, self);
  fixture_wait (is_laid_out, self);
  settle (100);
  g_assert_true (gtk_widget_compute_bounds (composer (self)->send, GTK_WIDGET (self->window), &bounds));
  g_assert_cmpfloat (bounds.origin.y + bounds.size.height, <, 500);
  g_assert_cmpint (gtk_widget_get_height (self->window->view), >, 100);
  fixture_picture (self, "many-files");
  facet_composer_clear (composer (self));
  g_assert_false (gtk_widget_get_visible (composer (self)->chips_pane));
}

/* ---- cost --------------------------------------------------------------- */

static gboolean
all_counted (Fixture *self)
{
  for (guint i = 0; i < fixture_n_attached (self); i++)
    if (facet_attachment_get_tokens (fixture_attached (self, i)) < 0)
      return FALSE;
  return self->window->count_job == 0 && self->window->count_timer == 0 && self->window->counted == NULL;
}

static const char *
notice (Fixture *self)
{
  return gtk_widget_get_visible (GTK_WIDGET (composer (self)->notice)) ? gtk_label_get_text (composer (self)->notice) : NULL;
}

static void
test_cost (Fixture *self, gconstpointer data)
{
  self->script.file_tokens = 1500;
  facet_composer_set_text (composer (self), "What do these show?");
  attach_picture (self, "spring.png", "png");
  attach (self, "notes.txt", "six words in a text file", -1);
  fixture_wait (all_counted, self);
  g_assert_cmpint (facet_attachment_get_tokens (fixture_attached (self, 0)), ==, 1500);
  g_assert_cmpint (facet_attachment_get_tokens (fixture_attached (self, 1)), >, 4);
  g_assert_cmpint (facet_attachment_get_tokens (fixture_attached (self, 1)), <, 12);
  g_assert_null (notice (self));
  g_assert_true (gtk_widget_get_sensitive (composer (self)->send));
  fixture_picture (self, "attachments");

  /* the third picture is what no longer fits; said before anything is sent */
  attach_picture (self, "summer.png", "png");
  attach_picture (self, "autumn.png", "png");
  fixture_wait (all_counted, self);
  g_assert_nonnull (notice (self));
  g_assert_null (strstr (notice (self), "spring.png"));
  g_assert_null (strstr (notice (self), "summer.png"));
  g_assert_nonnull (strstr (notice (self), "autumn.png"));
  g_assert_false (gtk_widget_get_sensitive (composer (self)->send));
  fixture_picture (self, "too-much");
  facet_composer_remove (composer (self), fixture_attached (self, 3));
  settle (300);
  fixture_wait (all_counted, self);
  g_assert_null (notice (self));
  g_assert_true (gtk_widget_get_sensitive (composer (self)->send));
}

static void
test_too_long (Fixture *self, gconstpointer data)
{
  FacetLoadSpec spec = { .path = (char *) "model.gguf" };
  g_autoptr (GString) text = g_string_new (NULL);

  for (int i = 0; i < 5000; i++)
    g_string_append (text, "word ");
  facet_composer_set_text (composer (self), text->str);
  settle (300);
  fixture_wait (all_counted, self);
  g_assert_nonnull (strstr (notice (self), "4096"));
  g_assert_nonnull (strstr (notice (self), "raise the context length"));
  g_assert_false (gtk_widget_get_sensitive (composer (self)->send));

  /* no advice that this model cannot follow */
  self->script.at_limit = TRUE;
  facet_engine_service_load (self->service, &spec);
  fixture_wait (fixture_idle, self);
  fixture_wait (all_counted, self);
  g_assert_nonnull (strstr (notice (self), "4096"));
  g_assert_null (strstr (notice (self), "raise the context length"));
  facet_composer_set_text (composer (self), "Short");
  settle (300);
  fixture_wait (all_counted, self);
  g_assert_null (notice (self));
}

/* ---- pictures that the engine does not read ----------------------------- */

static gboolean
has_loader (const char *name)
{
  GSList *formats = gdk_pixbuf_get_formats ();
  gboolean found = FALSE;

  for (GSList *link = formats; link != NULL; link = link->next) {
    g_autofree char *other = gdk_pixbuf_format_get_name (link->data);

    found = found || g_str_equal (name, other);
  }
  g_slist_free (formats);
  return found;
}

static void
test_foreign (Fixture *self, gconstpointer data)
{
  static const char drawing[] = "<svg xmlns='http://www.w3.org/2000/svg' width='20' height='10'>"
                                "<rect width='10' height='10' fill='red'/></svg>";
  static const char huge[] = "<svg xmlns='http://www.w3.org/2000/svg' width='200000' height='200000'/>";
  static const char webp[] = "RIFF\x1c\0\0\0WEBPVP8L\x10\0\0\0/\0\0\0\x10\x07\x10\x11\x11\x88\x88\xfe\x07\0";
  const guint8 *pixels;
  g_autoptr (FacetImage) stored = NULL;

  if (has_loader ("tiff")) {
    attach_picture (self, "scan.tiff", "tiff");
    g_assert_cmpint (facet_attachment_get_state (fixture_attached (self, 0)), ==, FACET_ATTACHMENT_READY);
    g_assert_true (g_str_has_prefix (facet_attachment_get_details (fixture_attached (self, 0)), "320 × 200"));
    /* what is stored is a picture that the engine reads, transparency on white */
    stored = facet_image_new_from_bytes (facet_attachment_get_bytes (fixture_attached (self, 0)), "stored", NULL);
    g_assert_nonnull (stored);
    pixels = facet_image_pixels (stored);
    g_assert_cmpint (pixels[0], ==, 255);
    pixels += (180 * 320 + 30) * 3;
    g_assert_cmpint (pixels[0], ==, 0x35);
    g_assert_cmpint (pixels[2], ==, 0xe4);
    g_assert_cmpstr (facet_attachment_get_mime (fixture_attached (self, 0)), ==, "image/png");
    facet_composer_clear (composer (self));
  }
  if (has_loader ("svg")) {
    attach (self, "drawing.txt", drawing, -1);
    g_assert_true (g_str_has_prefix (facet_attachment_get_details (fixture_attached (self, 0)), "1024 × 512"));
    facet_composer_clear (composer (self));
    attach (self, "bomb.svg", huge, -1);
    g_assert_cmpint (facet_attachment_get_state (fixture_attached (self, 0)), ==, FACET_ATTACHMENT_REFUSED);
    g_assert_nonnull (strstr (facet_attachment_get_details (fixture_attached (self, 0)), "too large"));
    facet_composer_clear (composer (self));
  }
  if (!has_loader ("webp")) {
    attach (self, "photo.jpg", webp, sizeof webp - 1);
    g_assert_cmpint (facet_attachment_get_state (fixture_attached (self, 0)), ==, FACET_ATTACHMENT_REFUSED);
    g_assert_nonnull (strstr (facet_attachment_get_details (fixture_attached (self, 0)), "WebP"));
    fixture_picture (self, "refused-webp");
  }
}

/* ---- modes -------------------------------------------------------------- */

/* Any language by its name; the button says which, where the mode takes one. */
static void
test_options (Fixture *self, gconstpointer data)
{
  GtkMenuButton *button = GTK_MENU_BUTTON (composer (self)->options);
  GtkWidget *popover = GTK_WIDGET (gtk_menu_button_get_popover (button));
  GtkWidget *list = widget_find (popover, GTK_TYPE_LIST_BOX, NULL, NULL);

  g_settings_reset (self->settings, "target-language");
  g_assert_false (gtk_widget_get_visible (GTK_WIDGET (button)));
  _facet_window_choose_mode (self->window, facet_mode_find ("culture"));
  g_assert_true (gtk_widget_get_visible (GTK_WIDGET (button)));
  g_assert_cmpstr (gtk_menu_button_get_label (button), ==, "English");
  gtk_menu_button_popup (button);
  settle (300);
  widget_picture (popover, "mode-options", 300);

  gtk_editable_set_text (GTK_EDITABLE (widget_find (popover, GTK_TYPE_ENTRY, NULL, NULL)), "esper");
  for (int i = 0; gtk_list_box_get_row_at_index (GTK_LIST_BOX (list), i) != NULL; i++) {
    GtkListBoxRow *row = gtk_list_box_get_row_at_index (GTK_LIST_BOX (list), i);

    if (gtk_widget_get_child_visible (GTK_WIDGET (row))) {
      g_signal_emit_by_name (list, "row-activated", row);
      break;
    }
  }
  g_assert_cmpstr (gtk_menu_button_get_label (button), ==, "Esperanto");
  gtk_widget_activate_action (GTK_WIDGET (button), "options.answer-style", "s", "educational");
  g_settings_set_string (self->settings, "audience", "children");
  fixture_ask (self, "What is Zamenhof Day?");
  fixture_wait (fixture_idle, self);
  g_assert_true (g_str_has_prefix (self->script.asked->str, "user: Answer the following for children, with the cultural "
                                                            "background that they need, in Esperanto, in educational style."));
  g_settings_set_string (self->settings, "target-language", "Toki Pona");
  g_assert_cmpstr (gtk_menu_button_get_label (button), ==, "Toki Pona");
  g_settings_reset (self->settings, "target-language");
  g_settings_reset (self->settings, "answer-style");
  g_settings_reset (self->settings, "audience");
  _facet_window_choose_mode (self->window, facet_mode_find ("chat"));
  g_assert_false (gtk_widget_get_visible (GTK_WIDGET (button)));
}

int
main (int argc, char *argv[])
{
#define ADD(name, func) g_test_add ("/composer/" name, Fixture, NULL, set_up, func, fixture_tear_down)
  if (!fixture_start (&argc, &argv))
    return 0;
  ADD ("enter", test_enter);
  ADD ("preedit", test_preedit);
  ADD ("paste", test_paste);
  ADD ("drop", test_drop);
  ADD ("address", test_address);
  ADD ("refusals", test_refusals);
  ADD ("utf16", test_utf16);
  ADD ("many", test_many);
  ADD ("cost", test_cost);
  ADD ("too-long", test_too_long);
  ADD ("foreign", test_foreign);
  ADD ("options", test_options);
  return g_test_run ();
}
