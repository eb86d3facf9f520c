/* conversation.h - the turns of one talk and how the next answer is made
 *
 * A failed or stopped-before-any-text turn is taken back, so that the turns
 * always alternate and the model never sees a question without an answer.
 */
#pragma once

#include "options.h"

typedef struct Conversation Conversation;

typedef struct {
  const char        *system;       /* NULL: none */
  FacetTemplate      how;
  FacetKvType        kv_type;
  int                context;
  int                max_tokens;   /* 0: until the context is full */
  const char *const *stop_strings; /* NULL: none beside the template's */
  FacetPanAndScan    pan_and_scan;
  FacetSampling      sampling;
  FacetCancel       *cancel;
  FacetTextFunc      on_text;      /* NULL: none */
  gpointer           user_data;
} ConversationParams;

/* Strings of @params must outlive the conversation. */
Conversation *conversation_new  (FacetModel *model, const ConversationParams *params, GError **error);
void          conversation_free (Conversation *conversation);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Conversation, conversation_free)

/* Pictures and sounds of the next turn, which go into its text as media.h says. */
void          conversation_show    (Conversation *conversation, GPtrArray *images, GPtrArray *sounds);
/* Answers @text as the next turn of the user. */
gboolean      conversation_ask     (Conversation *conversation, const char *text, FacetReply *reply, GError **error);
void          conversation_clear   (Conversation *conversation);
int           conversation_context (Conversation *conversation); /* tokens there is room for */
