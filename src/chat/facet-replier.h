/* facet-replier.h - lets the engine answer, into a conversation
 *
 * One answer at a time. The question is in the store before the engine is
 * asked, and what has been answered is saved twice a second, so that a crash
 * loses the tail at most. The conversation stays alive while it is answered,
 * shown or not.
 *
 * A model that is offered tools (facet_conversation_get_options()) may call
 * them on the way; calls and results belong to the answer, beside its text.
 * What a tool may not do unasked waits for facet_replier_decide(); stopping
 * the answer ends the waiting, too.
 *
 * Properties, readable with notify: "running" (boolean), "phase" (string: a
 * translated word for what is done, "" when not running), "question" (string:
 * what a call is about to do, NULL unless one waits; text of the model, which
 * is shown as it is).
 * Signal "finished" (FacetMessage): the answer is whole, stopped or failed.
 *
 * Thread-safety: main thread only.
 */
#pragma once

#include "chat/facet-conversation.h"
#include "service/facet-engine-service.h"

G_BEGIN_DECLS

#define FACET_TYPE_REPLIER (facet_replier_get_type ())
G_DECLARE_FINAL_TYPE (FacetReplier, facet_replier, FACET, REPLIER, GObject)

FacetReplier      *facet_replier_new              (FacetEngineService *service, GSettings *settings);

gboolean           facet_replier_is_running       (FacetReplier *self);

/* Returns: (transfer none) (nullable): what is being answered. */
FacetConversation *facet_replier_get_conversation (FacetReplier *self);

/* Returns: (transfer none) (nullable): the answer that is being written. */
FacetMessage      *facet_replier_get_message      (FacetReplier *self);

/* Returns: (transfer none) (nullable): the call that waits for the person. */
const FacetCallRecord *facet_replier_get_asked    (FacetReplier *self);

typedef enum {
  FACET_DECISION_DENY,   /* the model is told so and goes on without */
  FACET_DECISION_ONCE,
  FACET_DECISION_ALWAYS, /* in this chat the tool is not asked about any more */
} FacetDecision;

/* Nothing happens unless a call waits. */
void               facet_replier_decide           (FacetReplier *self, FacetDecision decision);

/* Answers @question with a new answer beside earlier ones. Fails with a
 * translated sentence when no model is loaded or the store cannot be written. */
gboolean           facet_replier_answer           (FacetReplier      *self,
                                                   FacetConversation *conversation,
                                                   FacetMessage      *question,
                                                   GError           **error);

/* Goes on with @answer, the last message. */
gboolean           facet_replier_continue         (FacetReplier      *self,
                                                   FacetConversation *conversation,
                                                   FacetMessage      *answer,
                                                   GError           **error);

void               facet_replier_stop             (FacetReplier *self);

/* What the engine would be asked for the messages up to @last (NULL: none),
 * followed by @draft as a question (NULL: none), with the chat's choices; a
 * check of pictures stands alone.
 * Returns: (transfer full) */
FacetRequest      *facet_replier_build_request    (FacetReplier      *self,
                                                   FacetConversation *conversation,
                                                   FacetMessage      *last,
                                                   const char        *draft,
                                                   const char        *draft_mode,
                                                   GPtrArray         *draft_attachments);

G_END_DECLS
