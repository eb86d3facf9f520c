/* facet-policy-choices.h - what the next picture is checked by
 *
 * A check box for each policy of facet-policy.h, which follows and writes the
 * key "policies", and a word on the policy of one's own.
 *
 * Thread-safety: main thread only.
 */
#pragma once

#include <gtk/gtk.h>

G_BEGIN_DECLS

GtkWidget *facet_policy_choices_new   (GSettings *settings);

/* How many are chosen, in words. Returns: (transfer full) */
char      *facet_policy_choices_label (GSettings *settings);

G_END_DECLS
