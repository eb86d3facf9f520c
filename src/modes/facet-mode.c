#define G_LOG_DOMAIN "facet"

#include "config.h"

#include <glib/gi18n-lib.h>
#include <string.h>

#include "facet-mode.h"

#include "facet-tongue.h"

const FacetMode facet_modes[] = {
  { "chat", NC_("assistant mode", "Chat"), "{text}", NULL, FALSE, FALSE },
  { "describe", NC_("assistant mode", "Describe Picture"),
    "Describe this picture: what it shows, where it might be, and what stands out.\n{text}", NULL, TRUE, FALSE },
  { "chart", NC_("assistant mode", "Analyse Chart"),
    "Read this chart. Say what it shows, give its values as a table, then name the main trends.\n{text}", NULL, TRUE,
    FALSE },
  { "compare", NC_("assistant mode", "Compare Pictures"),
    "Compare these pictures. List what they share, then how they differ.\n{text}", NULL, TRUE, FALSE },
  { "transcribe", NC_("assistant mode", "Transcribe"),
    "Transcribe this recording in its own language. Answer with the transcript only.\n{text}", NULL, FALSE, TRUE },
  { "translate", NC_("assistant mode", "Translate"),
    "Translate the following into {language}. Answer with the translation only.\n\n{text}",
    "Translate what is said in this recording into {language}. Answer with the translation only.\n{text}", FALSE, FALSE },
  { "summarise", NC_("assistant mode", "Summarise"),
    "Summarise the following in {language}: the main points first, then what was decided and what is to be done, if "
    "anything is. Keep names, figures and dates. Answer with the summary only.\n\n{text}",
    "Summarise what is said in this recording in {language}: the main points first, then what was decided and what is to "
    "be done, if anything is. Keep names, figures and dates. Answer with the summary only.\n{text}", FALSE, FALSE },
  { "culture", NC_("assistant mode", "Cultural Context"),
    "Answer the following for {audience}, with the cultural background that they need, in {language}, in {style} "
    "style.\n\n{text}",
    NULL, FALSE, FALSE },
  { "check", NC_("assistant mode", "Check Picture"), "{text}", NULL, TRUE, FALSE, TRUE },
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

#define TEMPLATES "mode-templates"

/* NULL where the person has none. */
static char *
own_template (const FacetMode *mode, GSettings *settings)
{
  g_autoptr (GVariant) templates = settings != NULL ? g_settings_get_value (settings, TEMPLATES) : NULL;
  char *own = NULL;

  if (templates != NULL && g_variant_lookup (templates, mode->id, "s", &own) && *own != '\0')
    return own;
  g_free (own);
  return NULL;
}

char *
facet_mode_get_template (const FacetMode *mode, GSettings *settings)
{
  char *own = own_template (mode, settings);

  return own != NULL ? own : g_strdup (mode->template);
}

void
facet_mode_set_template (const FacetMode *mode, GSettings *settings, const char *template)
{
  g_autoptr (GVariant) templates = g_settings_get_value (settings, TEMPLATES);
  GVariantBuilder builder;

  g_variant_builder_init (&builder, G_VARIANT_TYPE ("a{ss}"));
  for (gsize i = 0; i < g_variant_n_children (templates); i++) {
    const char *id;
    const char *other;

    g_variant_get_child (templates, i, "{&s&s}", &id, &other);
    if (!g_str_equal (id, mode->id))
      g_variant_builder_add (&builder, "{ss}", id, other);
  }
  if (template != NULL && *template != '\0' && !g_str_equal (template, mode->template))
    g_variant_builder_add (&builder, "{ss}", mode->id, template);
  g_settings_set_value (settings, TEMPLATES, g_variant_builder_end (&builder));
}

gboolean
facet_mode_takes (const FacetMode *mode, GSettings *settings, const char *hole)
{
  g_autofree char *template = facet_mode_get_template (mode, settings);

  return strstr (template, hole) != NULL;
}

/* A choice is one line of fields, which values cannot break. */
static void
add_value (GString *choice, const char *name, const char *value)
{
  g_autofree char *plain = g_strdelimit (g_strdup (value), ";\n\r", ' ');

  g_string_append_printf (choice, ";%s=%s", name, plain);
}

char *
facet_mode_choice (const FacetMode *mode, GSettings *settings)
{
  GString *choice = g_string_new (mode->id);
  g_autofree char *named = g_settings_get_string (settings, "target-language");
  g_autofree char *language = facet_tongue_for_prompt (named);
  g_autofree char *style = g_settings_get_string (settings, "answer-style");
  g_autofree char *audience = g_strstrip (g_settings_get_string (settings, "audience"));

  if (facet_mode_takes (mode, settings, "{language}"))
    add_value (choice, "language", language);
  if (facet_mode_takes (mode, settings, "{style}"))
    add_value (choice, "style", style);
  if (facet_mode_takes (mode, settings, "{audience}"))
    add_value (choice, "audience", *audience != '\0' ? audience : "a general reader");
  if (mode->judges) {
    g_auto (GStrv) policies = g_settings_get_strv (settings, "policies");
    g_autofree char *joined = g_strjoinv (",", policies);

    add_value (choice, "policies", joined);
  }
  return g_string_free (choice, FALSE);
}

char *
facet_mode_choice_value (const char *choice, const char *name)
{
  g_auto (GStrv) fields = g_strsplit (choice, ";", -1);
  gsize length = strlen (name);

  for (gsize i = 0; fields[i] != NULL; i++)
    if (strncmp (fields[i], name, length) == 0 && fields[i][length] == '=')
      return g_strdup (fields[i] + length + 1);
  return g_strdup ("");
}

/* One pass, so that a placeholder inside the person's words stays as it is. */
static char *
fill_in_part (const char *template, const char *end, const char *choice, const char *text)
{
  g_autofree char *language = facet_mode_choice_value (choice != NULL ? choice : "", "language");
  g_autofree char *style = facet_mode_choice_value (choice != NULL ? choice : "", "style");
  g_autofree char *audience = facet_mode_choice_value (choice != NULL ? choice : "", "audience");
  const struct {
    const char *name;
    const char *value;
  } holes[] = { { "{text}", text }, { "{language}", language }, { "{style}", style },
                { "{audience}", audience } };
  GString *result = g_string_new (NULL);
  const char *at = template;

  while (at < end) {
    gsize plain = strcspn (at, "{"), i;

    if (plain > 0) {
      plain = MIN (plain, (gsize) (end - at));
      g_string_append_len (result, at, (gssize) plain);
      at += plain;
      continue;
    }
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
  return g_string_free (result, FALSE);
}

static char *
fill_in (const char *template, const char *choice, const char *text)
{
  return g_strchomp (fill_in_part (template, template + strlen (template), choice, text));
}

char *
facet_mode_render (const char *choice, const char *text, GSettings *settings)
{
  g_autofree char *template = facet_mode_get_template (facet_mode_find (choice), settings);

  return fill_in (template, choice, text);
}

char *
facet_mode_render_spoken (const char *choice, const char *text, GSettings *settings)
{
  const FacetMode *mode = facet_mode_find (choice);
  g_autofree char *own = own_template (mode, settings);
  const char *usual = mode->spoken != NULL ? mode->spoken : mode->template;

  return fill_in (own != NULL ? own : usual, choice, text);
}

void
facet_mode_render_around (const char *choice, GSettings *settings, char **before, char **after)
{
  g_autofree char *own = facet_mode_get_template (facet_mode_find (choice), settings);
  g_autofree char *template = strstr (own, "{text}") != NULL ? g_steal_pointer (&own) : g_strconcat (own, "\n\n{text}", NULL);
  const char *hole = strstr (template, "{text}"), *rest = hole + strlen ("{text}");

  *before = fill_in_part (template, hole, choice, "");
  *after = g_strchomp (fill_in_part (rest, rest + strlen (rest), choice, ""));
}

char *
facet_mode_quote_file (const char *name, const char *contents, gssize length)
{
  g_autofree char *copy = g_strndup (contents, length < 0 ? strlen (contents) : (gsize) length);

  return g_strdup_printf ("%s:\n```\n%s\n```\n\n", name, copy);
}
