/* facet-tongue.h - the names of languages that answers may be in
 *
 * A person may name any language, in any words; those of the list are found by
 * their English name, their own name or their code. Prompts take the English
 * name, which models know best.
 *
 * Knows nothing of GTK. Thread-safety: safe.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct {
  const char *code; /* ISO 639, with a territory where it matters: "pt_BR" */
  const char *name; /* in English */
  const char *own;  /* in the language itself */
} FacetTongue;

/* By English name; ends with a NULL code. */
extern const FacetTongue facet_tongues[];

/* NULL if it is none of the list. */
const FacetTongue *facet_tongue_find       (const char *named);

/* Of the process's messages; English if that is none of the list. */
const FacetTongue *facet_tongue_of_locale  (void);

/* The word for a prompt; empty: the language of the messages.
 * Returns: (transfer full) */
char              *facet_tongue_for_prompt (const char *named);

G_END_DECLS
