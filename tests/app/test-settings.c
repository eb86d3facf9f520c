/* Settings that act on the whole process, and the log of what was opened. */
#include <locale.h>
#include <string.h>

#include "facet-activity-log.h"
#include "facet-settings.h"
#include "modes/facet-mode.h"
#include "modes/facet-tongue.h"

/* The child says which locale its messages have and what it calls itself. */
static int
speak (const char *language)
{
  g_settings_set_string (facet_settings_get_default (), "language", language);
  facet_settings_apply_language (facet_settings_get_default ());
  setlocale (LC_ALL, "");
  g_print ("%d %s %d\n", g_str_equal (setlocale (LC_MESSAGES, NULL), "C"), g_get_language_names ()[0],
           facet_settings_is_rtl ());
  return 0;
}

static char *program;

static void
test_language_in_any_locale (void)
{
  static const char *const locales[] = { "C", "POSIX", "C.UTF-8", "xx_XX.UTF-8", "" };
  static const char *const languages[][2] = { { "de", "0 de 0\n" }, { "ar", "0 ar 1\n" }, { "pt_BR", "0 pt_BR 0\n" } };

  for (gsize i = 0; i < G_N_ELEMENTS (locales); i++) {
    for (gsize j = 0; j < G_N_ELEMENTS (languages); j++) {
      g_auto (GStrv) env = g_environ_setenv (g_get_environ (), i % 2 ? "LC_ALL" : "LANG", locales[i], TRUE);
      const char *argv[] = { program, "--speak", languages[j][0], NULL };
      g_autofree char *output = NULL;
      g_autoptr (GError) error = NULL;

      g_spawn_sync (NULL, (char **) argv, env, G_SPAWN_DEFAULT, NULL, NULL, &output, NULL, NULL, &error);
      g_assert_no_error (error);
      g_assert_cmpstr (output, ==, languages[j][1]);
    }
  }
}

static void
test_sampling (void)
{
  GSettings *settings = facet_settings_get_default ();
  FacetSampling recommended = { .temperature = 0.7f, .top_k = 12, .repeat_last = 99 };
  FacetSampling sampling = facet_settings_get_sampling (settings, &recommended);

  g_assert_cmpint (sampling.top_k, ==, 12);
  g_settings_set_boolean (settings, "model-sampling", FALSE);
  g_settings_set_int (settings, "top-k", 5);
  g_settings_set_double (settings, "temperature", 0);
  sampling = facet_settings_get_sampling (settings, &recommended);
  g_assert_cmpint (sampling.top_k, ==, 5);
  g_assert_cmpfloat (sampling.temperature, ==, 0);
  g_assert_cmpint (sampling.repeat_last, ==, 99);
}

static gpointer
add_from_thread (gpointer data)
{
  facet_activity_log_add (FACET_ACTIVITY_READ, "/b");
  return NULL;
}

static void
test_activity_log (void)
{
  GListModel *log = G_LIST_MODEL (facet_activity_log_get_default ());
  g_autoptr (FacetActivity) first = NULL;
  g_autoptr (FacetActivity) second = NULL;

  facet_activity_log_add (FACET_ACTIVITY_READ, "/a");
  g_thread_join (g_thread_new (NULL, add_from_thread, NULL));
  facet_activity_log_add (FACET_ACTIVITY_READ, "/a");
  while (g_main_context_iteration (NULL, FALSE));
  g_assert_cmpuint (g_list_model_get_n_items (log), ==, 2);
  first = g_list_model_get_item (log, 0);
  second = g_list_model_get_item (log, 1);
  g_assert_cmpstr (facet_activity_get_target (first), ==, "/a");
  g_assert_cmpuint (facet_activity_get_count (first), ==, 2);
  g_assert_cmpstr (facet_activity_get_target (second), ==, "/b");
}

/* A language by any of its names; what the list lacks is taken as it is. */
static void
test_tongues (void)
{
  const struct {
    const char *named;
    const char *word;
  } cases[] = { { "German", "German" },        { "deutsch", "German" },     { "de", "German" },
                { " ITALIANO ", "Italian" },   { "العربية", "Arabic" },      { "pt_BR", "Brazilian Portuguese" },
                { "Klingon", "Klingon" },      { "", "English" } };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autofree char *word = facet_tongue_for_prompt (cases[i].named);

    g_assert_cmpstr (word, ==, cases[i].word);
  }
}

static void
test_templates (void)
{
  GSettings *settings = facet_settings_get_default ();
  const FacetMode *culture = facet_mode_find ("culture");
  g_autofree char *choice = NULL;
  g_autofree char *own_choice = NULL;
  g_autofree char *prompt = NULL;
  g_autofree char *own = NULL;
  g_autofree char *template = NULL;

  g_settings_set_string (settings, "target-language", "日本語");
  g_settings_set_string (settings, "answer-style", "formal");
  g_settings_set_string (settings, "audience", "guests; of a {style} inn");
  choice = facet_mode_choice (culture, settings);
  g_assert_cmpstr (choice, ==, "culture;language=Japanese;style=formal;audience=guests  of a {style} inn");
  prompt = facet_mode_render (choice, "Why {audience}?", settings);
  g_assert_cmpstr (prompt, ==, "Answer the following for guests  of a {style} inn, with the cultural background that they "
                               "need, in Japanese, in formal style.\n\nWhy {audience}?");

  /* an own template decides what there is to choose */
  facet_mode_set_template (culture, settings, "In {language}: {text}");
  facet_mode_set_template (facet_mode_find ("chart"), settings, "Chart! {text}");
  g_assert_false (facet_mode_takes (culture, settings, "{style}"));
  own_choice = facet_mode_choice (culture, settings);
  g_assert_cmpstr (own_choice, ==, "culture;language=Japanese");
  own = facet_mode_render (own_choice, "Hello", settings);
  g_assert_cmpstr (own, ==, "In Japanese: Hello");
  facet_mode_set_template (culture, settings, NULL);
  template = facet_mode_get_template (culture, settings);
  g_assert_cmpstr (template, ==, culture->template);
  g_free (template);
  template = facet_mode_get_template (facet_mode_find ("chart"), settings);
  g_assert_cmpstr (template, ==, "Chart! {text}");
  g_settings_reset (settings, "mode-templates");
  g_settings_reset (settings, "target-language");
  g_settings_reset (settings, "answer-style");
  g_settings_reset (settings, "audience");
}

int
main (int argc, char *argv[])
{
  if (argc == 3 && g_str_equal (argv[1], "--speak"))
    return speak (argv[2]);
  program = argv[0];
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/settings/language-in-any-locale", test_language_in_any_locale);
  g_test_add_func ("/settings/sampling", test_sampling);
  g_test_add_func ("/settings/activity-log", test_activity_log);
  g_test_add_func ("/settings/tongues", test_tongues);
  g_test_add_func ("/settings/templates", test_templates);
  return g_test_run ();
}
