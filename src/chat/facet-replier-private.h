/* facet-replier-private.h - the fields that the parts of the replier share
 *
 * An answer takes one or more rounds of the engine. A round that ends in calls
 * of tools is over for the engine: it waits for nobody. The calls are asked
 * about and run from here, one after the other, and the next round goes on
 * with the answer so far.
 */
#pragma once

#include "facet-replier.h"

#include "facet-call-task.h"

G_BEGIN_DECLS

struct _FacetReplier {
  GObject parent_instance;

  FacetEngineService *service;
  GSettings          *settings;
  FacetToolbox       *toolbox;     /* as the preferences say, NULL before it is needed */
  char               *toolbox_key;

  /* set while running */
  FacetConversation *conversation;
  FacetMessage      *message;
  guint64            job;          /* of the round; 0 while calls are answered */
  guint              round;        /* of this run */
  guint              first_round;  /* what it is among all of the answer, which may be continued */
  gboolean           text_begun;   /* in this round */
  gboolean           thought_begun;
  FacetReplySummary  total;        /* of the rounds so far */
  FacetToolbox      *offered;      /* NULL: no tools */
  int                asked;        /* index of the call that waits for the person; -1: none */
  char              *question;
  FacetCallTask     *task;
  guint              save_timer;
  gboolean           unsaved;
  gboolean           hears;        /* recordings are in the prompt itself */
  char              *phase;
};

/* facet-replier.c */
void          _facet_replier_begin_round   (FacetReplier *self);
void          _facet_replier_finish        (FacetReplier *self, const GError *failure);
void          _facet_replier_set_phase     (FacetReplier *self, const char *phase);
void          _facet_replier_set_question  (FacetReplier *self, int index, char *question);

/* facet-replier-calls.c */
FacetToolbox *_facet_replier_get_toolbox   (FacetReplier *self, GError **error);
void          _facet_replier_take_calls    (FacetReplier *self, const GPtrArray *calls);

/* Nothing of the calls comes any more; open ones become STOPPED. */
void          _facet_replier_drop_calls    (FacetReplier *self);

/* facet-replier-request.c: @toolbox NULL: none. The messages up to @last. */
FacetRequest *_facet_replier_build_request (FacetReplier      *self,
                                            FacetConversation *conversation,
                                            FacetMessage      *last,
                                            FacetToolbox      *toolbox);

/* Whether nothing is asked about the question's recordings: they are to be
 * written down, in their language or another, or for a summary. */
gboolean      _facet_replier_is_transcription (const char *mode, FacetStoreRole role, GPtrArray *attachments);

/* Whether @question asks for a check of its pictures. */
gboolean      _facet_replier_judges            (FacetMessage *question);

G_END_DECLS
