/* The window in another direction, with large text and in high contrast. With FACET_SCREENSHOTS the pictures are kept. */
#include "config.h"

#include <glib/gi18n.h>
#include <locale.h>
#include <string.h>

#include "composer/facet-composer-private.h"
#include "facet-settings.h"
#include "modes/facet-policy.h"
#include "modes/facet-tongue.h"
#include "service/facet-engine-check.h"
#include "ui-fixture.h"
#include "widget-picture.h"

extern int _nl_msg_cat_cntr; /* glibc: what changes LANGUAGE raises it */

static const char answer[] =
  "# Light and lenses\n\nA lens bends light because it travels **more slowly** in glass.\n\n"
  "| glass | index |\n|---|---|\n| crown | 1.52 |\n| flint | 1.62 |\n\n- convex lenses gather light\n- concave ones spread it\n\n"
  "```c\ndouble index = c / v;\n```\n";

static void
speak (const char *language)
{
  g_setenv ("LANGUAGE", language, TRUE);
  _nl_msg_cat_cntr++;
}

static graphene_rect_t
place (Fixture *self, gpointer widget)
{
  graphene_rect_t bounds;

  g_assert_true (gtk_widget_compute_bounds (widget, GTK_WIDGET (self->window), &bounds));
  g_assert_cmpfloat (bounds.size.width, >, 0);
  return bounds;
}

static gpointer
composer_child (Fixture *self, const char *name)
{
  GObject *child = gtk_widget_get_template_child (GTK_WIDGET (self->window->composer), FACET_TYPE_COMPOSER, name);

  g_assert_nonnull (child);
  return child;
}

static void
set_up_arabic (Fixture *self, gconstpointer data)
{
  speak ("ar");
  gtk_widget_set_default_direction (GTK_TEXT_DIR_RTL);
  fixture_set_up (self, data);
}

static void
set_up_large (Fixture *self, gconstpointer data)
{
  speak ("de"); /* the longest words */
  g_object_set (gtk_settings_get_default (), "gtk-xft-dpi", 2 * 96 * 1024, NULL);
  fixture_set_up (self, data);
}

static void
tear_down (Fixture *self, gconstpointer data)
{
  fixture_tear_down (self, data);
  speak ("en");
  gtk_widget_set_default_direction (GTK_TEXT_DIR_LTR);
  g_object_set (gtk_settings_get_default (), "gtk-xft-dpi", 96 * 1024, NULL);
}

static const ScriptCall calls[] = { { "calculator", "{\"expression\":\"sin(pi/6)*1.52\"}" },
                                    { "read_file", "{\"path\":\"/home/anna/Documents/Physics/lenses, second part.txt\"}" } };

static gboolean
has_question (Fixture *self)
{
  return self->window->question != NULL;
}

/* With tools, a thought and a question about a file, in the language of the window. */
static void
use_tools (Fixture *self, const char *question, const char *thoughts, const char *name)
{
  FacetLoadSpec spec = { .path = (char *) "thinker.gguf" };
  g_autofree char *asked = g_strdup_printf ("%s-tool-question", name), *options = g_strdup_printf ("%s-choices", name);
  GtkMenuButton *choices = composer_child (self, "choices_button");

  self->script.thinks = TRUE;
  self->script.thoughts = thoughts;
  self->script.calls = calls;
  self->script.n_calls = G_N_ELEMENTS (calls);
  facet_engine_service_load (self->service, &spec);
  fixture_wait (fixture_idle, self);
  facet_conversation_set_tools (self->window->conversation, TRUE, NULL);
  facet_conversation_set_thinking (self->window->conversation, TRUE, NULL);
  fixture_ask (self, question);
  fixture_wait (has_question, self);
  /* Marks around names are the translation's, not the model's: they are not spelled out. */
  g_assert_null (strstr (adw_message_dialog_get_body (ADW_MESSAGE_DIALOG (self->window->question)), "\\u{"));
  settle (300);
  widget_picture (GTK_WIDGET (self->window->question), asked, 300);
  fixture_picture (self, name);
  adw_message_dialog_response (ADW_MESSAGE_DIALOG (self->window->question), "deny");
  fixture_wait (fixture_idle, self);
  gtk_menu_button_popup (choices);
  settle (300);
  widget_picture (GTK_WIDGET (gtk_menu_button_get_popover (choices)), options, 300);
  gtk_menu_button_popdown (choices);
}

static void
test_right_to_left (Fixture *self, gconstpointer data)
{
  graphene_rect_t chats = place (self, self->window->sidebar);
  graphene_rect_t content = place (self, self->window->content);
  graphene_rect_t send = place (self, composer_child (self, "send"));
  graphene_rect_t mode = place (self, composer_child (self, "mode_button"));

  g_assert_cmpstr (_("Send"), ==, "أرسل");
  g_assert_cmpfloat (content.origin.x + content.size.width, <=, chats.origin.x);
  g_assert_cmpfloat (send.origin.x, <, mode.origin.x);
  fixture_picture (self, "arabic-start");
  self->script.answer = "# الضوء والعدسات\n\nتحني العدسة الضوء لأنه **أبطأ** في الزجاج.\n\n- العدسات المحدبة تجمع الضوء\n- المقعرة تفرّقه\n";
  fixture_ask (self, "لماذا تحني العدسة الضوء؟");
  fixture_wait (fixture_idle, self);
  fixture_picture (self, "arabic-answer");
  use_tools (self, "كم تحني عدستي الضوء؟", "قد تذكر الملاحظات نوع الزجاج.", "arabic-tools");
  fixture_picture (self, "arabic-tools-done");
}

static gboolean
is_narrow (Fixture *self)
{
  return gtk_widget_get_width (GTK_WIDGET (self->window)) <= 360;
}

/* Every text has the height that its width calls for. */
static void
assert_nothing_is_cut (GtkWidget *widget)
{
  if (GTK_IS_LABEL (widget) && gtk_widget_get_mapped (widget)) {
    int height;

    gtk_widget_measure (widget, GTK_ORIENTATION_VERTICAL, gtk_widget_get_width (widget), &height, NULL, NULL, NULL);
    for (GtkWidget *at = widget; !GTK_IS_LIST_BOX_ROW (at); at = gtk_widget_get_parent (at))
      g_assert_cmpint (gtk_widget_get_height (at), >=, height);
  }
  for (GtkWidget *child = gtk_widget_get_first_child (widget); child != NULL; child = gtk_widget_get_next_sibling (child))
    assert_nothing_is_cut (child);
}

/* What the next message costs can be read whole, somewhere. */
static void
assert_meter_is_seen (Fixture *self)
{
  static const char *const names[] = { "meter", "brief_meter" };
  guint seen = 0;

  settle (300);
  for (gsize i = 0; i < G_N_ELEMENTS (names); i++) {
    GtkWidget *label = composer_child (self, names[i]);

    if (!gtk_widget_get_mapped (label) || !gtk_widget_get_child_visible (label))
      continue;
    seen++;
    g_assert_cmpuint (strlen (gtk_label_get_text (GTK_LABEL (label))), >, 2);
    g_assert_false (pango_layout_is_ellipsized (gtk_label_get_layout (GTK_LABEL (label))));
  }
  g_assert_cmpuint (seen, ==, 1);
}

/* What the mode is called is read whole. */
static void
assert_mode_is_read (GtkWidget *widget)
{
  if (GTK_IS_LABEL (widget) && gtk_widget_get_mapped (widget))
    g_assert_false (pango_layout_is_ellipsized (gtk_label_get_layout (GTK_LABEL (widget))));
  for (GtkWidget *child = gtk_widget_get_first_child (widget); child != NULL; child = gtk_widget_get_next_sibling (child))
    assert_mode_is_read (child);
}

/* Tools, dark, as narrow as it may be. */
static void
test_narrow (Fixture *self, gconstpointer data)
{
  AdwStyleManager *style = adw_style_manager_get_default ();
  int minimum;

  adw_style_manager_set_color_scheme (style, ADW_COLOR_SCHEME_FORCE_DARK);
  self->script.answer = "It bends by **0.76**. I was not allowed to look into your notes.";
  gtk_window_set_default_size (GTK_WINDOW (self->window), 360, 640);
  fixture_wait (is_narrow, self);
  use_tools (self, "How far does my lens bend light?", "The notes may say which glass it is.", "narrow-tools");
  settle (200);
  gtk_widget_measure (self->window->content, GTK_ORIENTATION_HORIZONTAL, -1, &minimum, NULL, NULL, NULL);
  g_assert_cmpint (minimum, <=, 360);
  assert_meter_is_seen (self);
  fixture_picture (self, "narrow-tools-done");
  g_settings_set_string (self->settings, "target-language", "Brazilian Portuguese");
  _facet_window_choose_mode (self->window, facet_mode_find ("translate"));
  facet_composer_set_text (self->window->composer, "How far does my lens bend light?");
  assert_meter_is_seen (self);
  assert_mode_is_read (composer_child (self, "mode_button"));
  gtk_widget_measure (self->window->content, GTK_ORIENTATION_HORIZONTAL, -1, &minimum, NULL, NULL, NULL);
  g_assert_cmpint (minimum, <=, 360);
  fixture_picture (self, "narrow-translate");
  _facet_window_choose_mode (self->window, facet_mode_find ("chat"));
  g_settings_reset (self->settings, "target-language");
  assert_nothing_is_cut (self->window->view);
  adw_style_manager_set_color_scheme (style, ADW_COLOR_SCHEME_DEFAULT);
}

/* ---- checks of pictures ------------------------------------------------- */

static gboolean
is_attached (Fixture *self)
{
  GListModel *attachments = facet_composer_get_attachments (self->window->composer);
  g_autoptr (FacetAttachment) attachment = g_list_model_get_item (attachments, 0);

  return attachment != NULL && facet_attachment_get_state (attachment) == FACET_ATTACHMENT_READY;
}

/* With a safety model, in the language of the window: its start page, the choice of policies, verdicts. */
static void
check_picture (Fixture *self, const char *name)
{
  g_autofree char *path = g_build_filename (g_getenv ("FACET_TEST_DATA"), "kit/inputs/photo.png", NULL);
  g_autofree char *start = g_strdup_printf ("%s-start", name), *choice = g_strdup_printf ("%s-policies", name);
  g_autofree char *first = facet_verdict_text (_(facet_policies[0].title), 0.002), *second = facet_verdict_text (_(facet_policies[1].title), 0.03);
  g_autofree char *third = facet_verdict_text (_(facet_policies[2].title), 0.47), *own = facet_verdict_text (_("Your policy"), 0.96);
  g_autofree char *verdicts = g_strdup_printf ("* %s\n* %s\n* %s\n* %s\n", first, second, third, own);
  g_autoptr (GFile) file = g_file_new_for_path (path);
  GtkMenuButton *options = GTK_MENU_BUTTON (self->window->composer->options);
  GtkWidget *policies = gtk_widget_get_last_child (gtk_popover_get_child (gtk_menu_button_get_popover (options)));
  FacetLoadSpec spec = { .path = (char *) "safety.gguf" };
  int natural, minimum;

  self->script.sees = self->script.judges = TRUE;
  self->script.answer = verdicts;
  facet_engine_service_load (self->service, &spec);
  fixture_wait (fixture_idle, self);
  facet_composer_add_file (self->window->composer, file);
  fixture_wait (is_attached, self);
  fixture_picture (self, start);
  gtk_menu_button_popup (options);
  settle (300);
  widget_picture (GTK_WIDGET (gtk_menu_button_get_popover (options)), choice, 300);
  gtk_widget_measure (GTK_WIDGET (gtk_menu_button_get_popover (options)), GTK_ORIENTATION_HORIZONTAL, -1, NULL, &natural, NULL, NULL);
  g_assert_cmpint (natural, <=, 360);
  gtk_widget_measure (policies, GTK_ORIENTATION_VERTICAL, gtk_widget_get_width (policies), &minimum, NULL, NULL, NULL);
  g_assert_cmpint (gtk_widget_get_height (policies), >=, minimum);
  gtk_menu_button_popdown (options);
  fixture_ask (self, "No cats: the picture shall not show any.");
  fixture_wait (fixture_idle, self);
  settle (200);
  fixture_picture (self, name);
  assert_nothing_is_cut (self->window->view);
}

static void
test_check_arabic (Fixture *self, gconstpointer data)
{
  check_picture (self, "arabic-check");
}

static void
test_check_narrow (Fixture *self, gconstpointer data)
{
  int minimum;

  gtk_window_set_default_size (GTK_WINDOW (self->window), 360, 640);
  fixture_wait (is_narrow, self);
  check_picture (self, "narrow-check");
  gtk_widget_measure (self->window->content, GTK_ORIENTATION_HORIZONTAL, -1, &minimum, NULL, NULL, NULL);
  g_assert_cmpint (minimum, <=, 360);
}

/* Each language is offered by its own name where the answer's language is chosen. */
static void
test_tongues (Fixture *self, gconstpointer data)
{
  GtkMenuButton *button = GTK_MENU_BUTTON (self->window->composer->options);

  for (const FacetLanguage *language = facet_languages; language->code != NULL; language++) {
    g_autofree char *word = NULL;

    speak (language->code);
    _facet_window_choose_mode (self->window, facet_mode_find ("chat"));
    _facet_window_choose_mode (self->window, facet_mode_find ("translate"));
    g_assert_cmpstr (gtk_menu_button_get_label (button), ==, language->name);
    word = facet_tongue_for_prompt ("");
    g_assert_cmpstr (word, ==, facet_tongue_find (language->code)->name);
  }
  speak ("en");
}

/* At 200 % the window still fits into half of an ordinary screen, and nothing asks for more room than it gets. */
static void
test_large_text (Fixture *self, gconstpointer data)
{
  int minimum;

  self->script.answer = answer;
  fixture_ask (self, "Warum bricht eine Linse das Licht?");
  fixture_wait (fixture_idle, self);
  gtk_widget_measure (GTK_WIDGET (self->window), GTK_ORIENTATION_HORIZONTAL, -1, &minimum, NULL, NULL, NULL);
  g_assert_cmpint (minimum, <=, 720);
  assert_meter_is_seen (self);
  fixture_picture (self, "large-text");
}

static void
test_contrast (Fixture *self, gconstpointer data)
{
  AdwStyleManager *style = adw_style_manager_get_default ();

  g_assert_true (adw_style_manager_get_high_contrast (style));
  self->script.answer = answer;
  fixture_ask (self, "How does a lens bend light?");
  fixture_wait (fixture_idle, self);
  fixture_picture (self, "high-contrast");
  adw_style_manager_set_color_scheme (style, ADW_COLOR_SCHEME_FORCE_DARK);
  fixture_picture (self, "high-contrast-dark");
  adw_style_manager_set_color_scheme (style, ADW_COLOR_SCHEME_DEFAULT);
}

int
main (int argc, char *argv[])
{
  setlocale (LC_ALL, "C.UTF-8");
  bindtextdomain (GETTEXT_PACKAGE, g_getenv ("FACET_TEST_PO"));
  bind_textdomain_codeset (GETTEXT_PACKAGE, "UTF-8");
  textdomain (GETTEXT_PACKAGE);
  /* GLib decides by the first translation that it is asked for whether it translates at all. */
  speak ("ar");
  g_assert_cmpstr (g_dgettext (GETTEXT_PACKAGE, "Send"), ==, "أرسل");
  speak ("en");
  g_setenv ("ADW_DEBUG_HIGH_CONTRAST", argc > 1 && g_str_equal (argv[argc - 1], "contrast") ? "1" : "0", TRUE);
  if (!fixture_start (&argc, &argv))
    return 0;
  if (argc > 1) {
    g_test_add ("/looks/high-contrast", Fixture, NULL, fixture_set_up, test_contrast, fixture_tear_down);
  } else {
    g_test_add ("/looks/right-to-left", Fixture, NULL, set_up_arabic, test_right_to_left, tear_down);
    g_test_add ("/looks/narrow", Fixture, NULL, fixture_set_up, test_narrow, fixture_tear_down);
    g_test_add ("/looks/check-right-to-left", Fixture, NULL, set_up_arabic, test_check_arabic, tear_down);
    g_test_add ("/looks/check-narrow", Fixture, NULL, fixture_set_up, test_check_narrow, fixture_tear_down);
    g_test_add ("/looks/tongues", Fixture, NULL, fixture_set_up, test_tongues, tear_down);
    g_test_add ("/looks/large-text", Fixture, NULL, set_up_large, test_large_text, tear_down);
  }
  return g_test_run ();
}
