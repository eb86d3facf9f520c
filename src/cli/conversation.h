/* conversation.h - the turns of one talk and how the next answer is made
 *
 * A failed or stopped-before-any-text turn is taken back, so that the turns
 * always alternate and the model never sees a question without an answer. What
 * was shown and attached with it goes with the next one.
 */
#pragma once

#include "options.h"

typedef struct Conversation Conversation;

/* Answers a call of a tool: returns what the model is told (transfer full). */
typedef char *(*ConversationCallFunc) (const FacetCall *call, gpointer user_data);

/* A call that the model made on the way to its answer, and what came of it. */
typedef struct {
  char *name, *arguments, *result;
  gsize offset; /* in the answer's text */
  guint round;  /* calls of one round were made at once */
} ConversationStep;

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
  FacetTextFunc      on_thought;   /* NULL: none */
  gpointer           user_data;
  gboolean           thinking;
  GPtrArray         *tools;        /* of FacetTool; NULL: none */
  FacetToolChoice    tool_choice;  /* of the first answer; after results the model is free */
  FacetCallForm      call_form;
  ConversationCallFunc on_call;
  gpointer           call_data;
} ConversationParams;

/* Strings of @params must outlive the conversation. */
Conversation *conversation_new  (FacetModel *model, const ConversationParams *params, GError **error);
/* One of --ctx, --kv, --pan-and-scan and the sampling that @options ask for,
 * which it sets in @params. Reports any error itself and then returns NULL. */
Conversation *conversation_open (const Options *options, FacetModel *model, ConversationParams *params);
void          conversation_free (Conversation *conversation);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Conversation, conversation_free)

/* Pictures and sounds of the next turn, which go into its text as media.h says. */
void          conversation_show    (Conversation *conversation, GPtrArray *images, GPtrArray *sounds);
/* Text that stands before that of the next turn, as it is. */
void          conversation_attach  (Conversation *conversation, const char *files);
/* Answers @text as the next turn of the user. Calls of tools are answered
 * through on_call and the model goes on, at most eight times; @reply is all of
 * it together. */
gboolean      conversation_ask     (Conversation *conversation, const char *text, FacetReply *reply, GError **error);
/* Of the last answer: ConversationStep, in order. */
GPtrArray    *conversation_steps   (Conversation *conversation);
/* Forgets the turns and what waits for the next one. */
void          conversation_clear   (Conversation *conversation);
/* Whether something was shown or attached that no turn has taken along. */
gboolean      conversation_has_files (Conversation *conversation);
int           conversation_context (Conversation *conversation); /* tokens there is room for */
