#define G_LOG_DOMAIN "facet"

#include "config.h"

#include <glib/gi18n-lib.h>
#include <string.h>

#include "facet-mode.h"

const FacetMode facet_modes[] = {
  { "chat", NC_("assistant mode", "Chat"), "{text}", FALSE, FALSE },
  { "describe", NC_("assistant mode", "Describe Picture"),
    "Describe this picture: what it shows, where it might be, and what stands out.\n{text}", TRUE, FALSE },
  { "chart", NC_("assistant mode", "Analyse Chart"),
    "Read this chart. Say what it shows, give its values as a table, then name the main trends.\n{text}", TRUE,
    FALSE },
  { "compare", NC_("assistant mode", "Compare Pictures"),
    "Compare these pictures. List what they share, then how they differ.\n{text}", TRUE, FALSE },
  { "transcribe", NC_("assistant mode", "Transcribe"),
    "Transcribe this recording in its own language. Answer with the transcript only.\n{text}", FALSE, TRUE },
  { "translate", NC_("assistant mode", "Translate"),
    "Translate the following into {language}. Answer with the translation only.\n\n{text}", FALSE, FALSE },
  { "culture", NC_("assistant mode", "Cultural Context"),
    "Answer the following with the cultural background that a reader needs, in {language}, in {style} style.\n\n{text}",
    FALSE, FALSE },
  { NULL },
};

const FacetMode *
facet_mode_find (const char *id)
{
  gsize length = id != NULL ? strcspn (id, ";") : 0;

  for (const FacetMode *mode = facet_modes; length > 0 && mode->id != NULL; mode++)
    if (strlen (mode->id) == length && strncmp (mode->id, id, length) == 0)
      return mode;
  return &facet_modes[0];
}

char *
facet_mode_choice (const FacetMode *mode, GSettings *settings)
{
  GString *choice = g_string_new (mode->id);

  if (strstr (mode->template, "{language}") != NULL) {
    g_autofree char *language = g_settings_get_string (settings, "target-language");

    if (*language == '\0') {
      g_free (language);
      language = g_strdup (g_get_language_names ()[0]);
      if (strcmp (language, "C") == 0) {
        g_free (language);
        language = g_strdup ("English");
      }
    }
    g_string_append_printf (choice, ";language=%s", g_strdelimit (language, ";", ' '));
  }
  if (strstr (mode->template, "{style}") != NULL) {
    g_autofree char *style = g_settings_get_string (settings, "answer-style");

    g_string_append_printf (choice, ";style=%s", style);
  }
  return g_string_free (choice, FALSE);
}

static char *
choice_value (const char *choice, const char *name)
{
  g_auto (GStrv) fields = g_strsplit (choice, ";", -1);
  gsize length = strlen (name);

  for (gsize i = 0; fields[i] != NULL; i++)
    if (strncmp (fields[i], name, length) == 0 && fields[i][length] == '=')
      return g_strdup (fields[i] + length + 1);
  return g_strdup ("");
}

static char *
own_template (const FacetMode *mode, GSettings *settings)
{
  g_autoptr (GVariant) templates = g_settings_get_value (settings, "mode-templates");
  char *own = NULL;

  if (g_variant_lookup (templates, mode->id, "s", &own) && *own != '\0')
    return own;
  g_free (own);
  return g_strdup (mode->template);
}

/* One pass, so that a placeholder inside the person's words stays as it is. */
char *
facet_mode_render (const char *choice, const char *text, GSettings *settings)
{
  const FacetMode *mode = facet_mode_find (choice);
  g_autofree char *template = own_template (mode, settings);
  g_autofree char *language = choice_value (choice != NULL ? choice : "", "language");
  g_autofree char *style = choice_value (choice != NULL ? choice : "", "style");
  const struct {
    const char *name;
    const char *value;
  } holes[] = { { "{text}", text }, { "{language}", language }, { "{style}", style } };
  GString *result = g_string_new (NULL);
  const char *at = template;

  while (*at != '\0') {
    gsize i;

    for (i = 0; i < G_N_ELEMENTS (holes); i++)
      if (g_str_has_prefix (at, holes[i].name))
        break;
    if (i == G_N_ELEMENTS (holes)) {
      g_string_append_c (result, *at++);
    } else {
      g_string_append (result, holes[i].value);
      at += strlen (holes[i].name);
    }
  }
  while (result->len > 0 && g_ascii_isspace (result->str[result->len - 1]))
    g_string_truncate (result, result->len - 1);
  return g_string_free (result, FALSE);
}
