#include "config.h"

#include "mode-prompt.h"

#include "modes/facet-mode.h"
#include "modes/facet-tongue.h"

/* NULL where the window is not installed. */
static GSettings *
find_settings (void)
{
  GSettingsSchemaSource *source = g_settings_schema_source_get_default ();
  g_autoptr (GSettingsSchema) schema = source != NULL ? g_settings_schema_source_lookup (source, FACET_APP_ID, TRUE) : NULL;

  return schema != NULL ? g_settings_new_full (schema, NULL, NULL) : NULL;
}

static char *
make_choice (const char *id, const char *language)
{
  g_autofree char *name = g_strdelimit (facet_tongue_for_prompt (language != NULL ? language : ""), ";\n\r", ' ');

  return g_strdup_printf ("%s;language=%s", id, name);
}

char *
mode_prompt (const char *id, const char *language, const char *text, gboolean spoken)
{
  g_autoptr (GSettings) settings = find_settings ();
  g_autofree char *choice = make_choice (id, language);
  const char *words = text != NULL ? text : "";

  return spoken ? facet_mode_render_spoken (choice, words, settings) : facet_mode_render (choice, words, settings);
}

void
mode_words_around (const char *id, const char *language, char **before, char **after)
{
  g_autoptr (GSettings) settings = find_settings ();
  g_autofree char *choice = make_choice (id, language);

  facet_mode_render_around (choice, settings, before, after);
}
