/* facet-chat-options.h - what a person has chosen for one chat
 *
 * Kept in the store as a JSON object. Members that are not known are dropped,
 * what is missing or of another type is as in a fresh chat: no mode, nothing on.
 *
 * Thread-safety: plain values.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct {
  char      *mode;     /* a mode's id; "": the usual one */
  gboolean   tools;    /* the model may call tools */
  gboolean   thinking; /* models that can think before they answer */
  GPtrArray *allowed;  /* names of tools that are not asked about any more */
} FacetChatOptions;

/* @json: "" for a fresh chat. */
FacetChatOptions *facet_chat_options_parse   (const char *json);
char             *facet_chat_options_write   (const FacetChatOptions *options);
void              facet_chat_options_free    (FacetChatOptions *options);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FacetChatOptions, facet_chat_options_free)

gboolean          facet_chat_options_allows  (const FacetChatOptions *options, const char *tool);

G_END_DECLS
