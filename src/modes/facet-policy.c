#define G_LOG_DOMAIN "facet"

#include "config.h"

#include <glib/gi18n-lib.h>

#include "facet-policy.h"

#include "facet-mode.h"

#define WANTED "policies"

const FacetPolicy facet_policies[] = {
  { "dangerous", N_("Dangerous content"), N_("Building weapons, promoting terrorism, instructions for suicide") },
  { "sexual", N_("Sexually explicit content"), N_("Pornography, erotic nudity, sexual assault") },
  { "violence", N_("Violence and gore"), N_("Blood, extreme injury, cruelty to animals") },
  { NULL },
};

gboolean
facet_policy_is_chosen (const FacetPolicy *policy, const char *choice)
{
  g_autofree char *value = facet_mode_choice_value (choice, WANTED);
  g_auto (GStrv) names = g_strsplit (value, ",", -1);

  return g_strv_contains ((const char *const *) names, policy->name);
}

gboolean
facet_policy_is_wanted (const FacetPolicy *policy, GSettings *settings)
{
  g_auto (GStrv) names = g_settings_get_strv (settings, WANTED);

  return g_strv_contains ((const char *const *) names, policy->name);
}

void
facet_policy_set_wanted (const FacetPolicy *policy, GSettings *settings, gboolean wanted)
{
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();
  g_auto (GStrv) names = NULL;

  for (const FacetPolicy *other = facet_policies; other->name != NULL; other++)
    if (other == policy ? wanted : facet_policy_is_wanted (other, settings))
      g_strv_builder_add (builder, other->name);
  names = g_strv_builder_end (builder);
  g_settings_set_strv (settings, WANTED, (const char *const *) names);
}
