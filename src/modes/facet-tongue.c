#define G_LOG_DOMAIN "facet"

#include "config.h"

#include <string.h>

#include "facet-tongue.h"

const FacetTongue facet_tongues[] = {
  { "af", "Afrikaans", "Afrikaans" },
  { "sq", "Albanian", "Shqip" },
  { "am", "Amharic", "አማርኛ" },
  { "ar", "Arabic", "العربية" },
  { "hy", "Armenian", "Հայերեն" },
  { "az", "Azerbaijani", "Azərbaycanca" },
  { "eu", "Basque", "Euskara" },
  { "be", "Belarusian", "Беларуская" },
  { "bn", "Bengali", "বাংলা" },
  { "bs", "Bosnian", "Bosanski" },
  { "pt_BR", "Brazilian Portuguese", "Português (Brasil)" },
  { "bg", "Bulgarian", "Български" },
  { "my", "Burmese", "မြန်မာ" },
  { "ca", "Catalan", "Català" },
  { "hr", "Croatian", "Hrvatski" },
  { "cs", "Czech", "Čeština" },
  { "da", "Danish", "Dansk" },
  { "nl", "Dutch", "Nederlands" },
  { "en", "English", "English" },
  { "eo", "Esperanto", "Esperanto" },
  { "et", "Estonian", "Eesti" },
  { "fil", "Filipino", "Filipino" },
  { "fi", "Finnish", "Suomi" },
  { "fr", "French", "Français" },
  { "gl", "Galician", "Galego" },
  { "ka", "Georgian", "ქართული" },
  { "de", "German", "Deutsch" },
  { "el", "Greek", "Ελληνικά" },
  { "gu", "Gujarati", "ગુજરાતી" },
  { "ha", "Hausa", "Hausa" },
  { "he", "Hebrew", "עברית" },
  { "hi", "Hindi", "हिन्दी" },
  { "hu", "Hungarian", "Magyar" },
  { "is", "Icelandic", "Íslenska" },
  { "ig", "Igbo", "Igbo" },
  { "id", "Indonesian", "Bahasa Indonesia" },
  { "ga", "Irish", "Gaeilge" },
  { "it", "Italian", "Italiano" },
  { "ja", "Japanese", "日本語" },
  { "kn", "Kannada", "ಕನ್ನಡ" },
  { "kk", "Kazakh", "Қазақша" },
  { "km", "Khmer", "ខ្មែរ" },
  { "ko", "Korean", "한국어" },
  { "ku", "Kurdish", "Kurdî" },
  { "lo", "Lao", "ລາວ" },
  { "la", "Latin", "Latina" },
  { "lv", "Latvian", "Latviešu" },
  { "lt", "Lithuanian", "Lietuvių" },
  { "mk", "Macedonian", "Македонски" },
  { "ms", "Malay", "Bahasa Melayu" },
  { "ml", "Malayalam", "മലയാളം" },
  { "mt", "Maltese", "Malti" },
  { "mr", "Marathi", "मराठी" },
  { "mn", "Mongolian", "Монгол" },
  { "ne", "Nepali", "नेपाली" },
  { "nb", "Norwegian", "Norsk" },
  { "ps", "Pashto", "پښتو" },
  { "fa", "Persian", "فارسی" },
  { "pl", "Polish", "Polski" },
  { "pt", "Portuguese", "Português" },
  { "pa", "Punjabi", "ਪੰਜਾਬੀ" },
  { "ro", "Romanian", "Română" },
  { "ru", "Russian", "Русский" },
  { "sr", "Serbian", "Српски" },
  { "zh_CN", "Simplified Chinese", "简体中文" },
  { "si", "Sinhala", "සිංහල" },
  { "sk", "Slovak", "Slovenčina" },
  { "sl", "Slovenian", "Slovenščina" },
  { "so", "Somali", "Soomaali" },
  { "es", "Spanish", "Español" },
  { "sw", "Swahili", "Kiswahili" },
  { "sv", "Swedish", "Svenska" },
  { "tg", "Tajik", "Тоҷикӣ" },
  { "ta", "Tamil", "தமிழ்" },
  { "te", "Telugu", "తెలుగు" },
  { "th", "Thai", "ไทย" },
  { "zh_TW", "Traditional Chinese", "繁體中文" },
  { "tr", "Turkish", "Türkçe" },
  { "uk", "Ukrainian", "Українська" },
  { "ur", "Urdu", "اردو" },
  { "uz", "Uzbek", "Oʻzbekcha" },
  { "vi", "Vietnamese", "Tiếng Việt" },
  { "cy", "Welsh", "Cymraeg" },
  { "xh", "Xhosa", "isiXhosa" },
  { "yo", "Yoruba", "Yorùbá" },
  { "zu", "Zulu", "isiZulu" },
  { NULL },
};

static gboolean
same (const char *a, const char *b)
{
  g_autofree char *left = g_utf8_casefold (a, -1);
  g_autofree char *right = g_utf8_casefold (b, -1);

  return g_utf8_collate (left, right) == 0;
}

const FacetTongue *
facet_tongue_find (const char *named)
{
  for (const FacetTongue *tongue = facet_tongues; tongue->code != NULL; tongue++)
    if (same (named, tongue->name) || same (named, tongue->own) || g_str_equal (named, tongue->code))
      return tongue;
  return NULL;
}

const FacetTongue *
facet_tongue_of_locale (void)
{
  for (const char *const *names = g_get_language_names (); *names != NULL; names++) {
    g_autofree char *code = g_strndup (*names, strcspn (*names, ".@"));
    const FacetTongue *tongue = facet_tongue_find (code);

    if (tongue != NULL)
      return tongue;
    if (g_str_equal (code, "zh"))
      return facet_tongue_find ("zh_CN");
  }
  return facet_tongue_find ("en");
}

char *
facet_tongue_for_prompt (const char *named)
{
  g_autofree char *bare = g_strstrip (g_strdup (named));
  const FacetTongue *tongue = *bare != '\0' ? facet_tongue_find (bare) : facet_tongue_of_locale ();

  return tongue != NULL ? g_strdup (tongue->name) : g_steal_pointer (&bare);
}
