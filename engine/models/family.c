#include "models/family.h"

static const FacetFamilyClass *const families[] = {
  &facet_family_gemma3,
  &facet_family_gemma3n,
  &facet_family_gemma4,
};

const FacetFamilyClass *
facet_family_for (FacetGguf *gguf, GError **error)
{
  const char *architecture = facet_gguf_get_string (gguf, "general.architecture");

  for (gsize i = 0; i < G_N_ELEMENTS (families); i++)
    if (g_strcmp0 (families[i]->architecture, architecture) == 0)
      return families[i];
  if (g_strcmp0 (architecture, "clip") == 0)
    g_set_error (error, FACET_ERROR, FACET_ERROR_UNSUPPORTED,
                 "%s: this is a projector (general.architecture is \"clip\"), not a text model",
                 facet_gguf_path (gguf));
  else if (architecture != NULL && g_str_has_prefix (architecture, "gemma"))
    g_set_error (error, FACET_ERROR, FACET_ERROR_UNSUPPORTED, "%s: general.architecture is \"%s\"; of Gemma, only 3, 3n and 4 are run",
                 facet_gguf_path (gguf), architecture);
  else
    g_set_error (error, FACET_ERROR, FACET_ERROR_UNSUPPORTED, "%s: general.architecture is \"%s\", not a Gemma model",
                 facet_gguf_path (gguf), architecture != NULL ? architecture : "");
  return NULL;
}
