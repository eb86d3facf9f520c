/* facet-policy.h - the policies that pictures are checked by
 *
 * Those that ShieldGemma 2 was trained on, by name; the engine has the words
 * that the model is given (facet_policy_text()). Which ones are chosen is the
 * key "policies", and with a message the value "policies" of its choice.
 *
 * Knows nothing of GTK. Thread-safety: safe.
 */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

typedef struct {
  const char *name;     /* of facet_policy_text() */
  const char *title;    /* untranslated */
  const char *examples; /* likewise: what violates it */
} FacetPolicy;

/* Ends with a NULL name. */
extern const FacetPolicy facet_policies[];

/* In a message's @choice. */
gboolean facet_policy_is_chosen (const FacetPolicy *policy, const char *choice);

/* In @settings, for the next message. */
gboolean facet_policy_is_wanted (const FacetPolicy *policy, GSettings *settings);
void     facet_policy_set_wanted (const FacetPolicy *policy, GSettings *settings, gboolean wanted);

G_END_DECLS
