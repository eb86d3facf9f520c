#define G_LOG_DOMAIN "facet"

#include "config.h"

#include <adwaita.h>
#include <locale.h>
#include <string.h>

#include "facet-settings.h"

const FacetLanguage facet_languages[] = {
  { "en", "English" },
  { "ar", "العربية" },
  { "de", "Deutsch" },
  { "es", "Español" },
  { "fr", "Français" },
  { "it", "Italiano" },
  { "ja", "日本語" },
  { "pt_BR", "Português (Brasil)" },
  { "zh_CN", "简体中文" },
  { NULL, NULL },
};

/* The program's own first: an installed one may be of another version, and lack keys. */
static GSettingsSchema *
find_schema (void)
{
  GSettingsSchemaSource *installed = g_settings_schema_source_get_default ();
  g_autofree char *program = g_file_read_link ("/proc/self/exe", NULL);
  g_autofree char *folder = program ? g_path_get_dirname (program) : g_strdup (".");
  g_autofree char *data = g_build_filename (folder, "data", NULL);
  g_autoptr (GSettingsSchemaSource) source = g_settings_schema_source_new_from_directory (data, installed, TRUE, NULL);
  GSettingsSchema *schema = source ? g_settings_schema_source_lookup (source, FACET_APP_ID, FALSE) : NULL;

  if (schema == NULL && installed != NULL)
    schema = g_settings_schema_source_lookup (installed, FACET_APP_ID, TRUE);
  if (schema == NULL)
    g_error ("The settings schema %s is not installed, and %s holds none", FACET_APP_ID, data);
  return schema;
}

GSettings *
facet_settings_get_default (void)
{
  static GSettings *settings;

  if (settings == NULL) {
    g_autoptr (GSettingsSchema) schema = find_schema ();

    settings = g_settings_new_full (schema, NULL, NULL);
  }
  return settings;
}

FacetKvType
facet_settings_get_kv_type (GSettings *settings)
{
  return g_settings_get_enum (settings, "precision") == FACET_PRECISION_SMALLEST ? FACET_KV_Q8_0 : FACET_KV_F16;
}

FacetBackendKind
facet_settings_get_backend (GSettings *settings)
{
  return g_settings_get_enum (settings, "backend");
}

FacetSampling
facet_settings_get_sampling (GSettings *settings, const FacetSampling *recommended)
{
  FacetSampling sampling = *recommended;

  if (g_settings_get_boolean (settings, "model-sampling"))
    return sampling;
  sampling.temperature = g_settings_get_double (settings, "temperature");
  sampling.top_k = g_settings_get_int (settings, "top-k");
  sampling.top_p = g_settings_get_double (settings, "top-p");
  sampling.min_p = g_settings_get_double (settings, "min-p");
  sampling.repeat_penalty = g_settings_get_double (settings, "repeat-penalty");
  return sampling;
}

static void
color_scheme_changed_cb (GSettings *settings, const char *key, gpointer data)
{
  static const AdwColorScheme schemes[] = {
    ADW_COLOR_SCHEME_DEFAULT, ADW_COLOR_SCHEME_FORCE_LIGHT, ADW_COLOR_SCHEME_FORCE_DARK
  };
  int chosen = g_settings_get_enum (settings, "color-scheme");

  adw_style_manager_set_color_scheme (adw_style_manager_get_default (), schemes[chosen]);
}

void
facet_settings_follow_color_scheme (GSettings *settings)
{
  g_signal_connect (settings, "changed::color-scheme", G_CALLBACK (color_scheme_changed_cb), NULL);
  color_scheme_changed_cb (settings, NULL, NULL);
}

void
facet_settings_apply_language (GSettings *settings)
{
  g_autofree char *language = g_settings_get_string (settings, "language");
  const char *messages;

  if (*language == '\0')
    return;
  g_setenv ("LANGUAGE", language, TRUE);
  /* gettext looks at LANGUAGE only when messages have a locale other than C,
   * which a machine may lack or not have generated. */
  messages = setlocale (LC_ALL, "") ? setlocale (LC_MESSAGES, NULL) : "C";
  if (g_str_equal (messages, "C") || g_str_equal (messages, "POSIX"))
    g_setenv ("LC_ALL", "C.UTF-8", TRUE);
}

gboolean
facet_settings_is_rtl (void)
{
  static const char *const rtl[] = { "ar", "fa", "he", "iw", "ur", "yi" };
  const char *const *names = g_get_language_names ();
  g_autofree char *language = g_strndup (names[0], strcspn (names[0], "_.@"));

  for (gsize i = 0; i < G_N_ELEMENTS (rtl); i++) {
    if (g_str_equal (rtl[i], language))
      return TRUE;
  }
  return FALSE;
}
