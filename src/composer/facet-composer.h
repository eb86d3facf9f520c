/* facet-composer.h - where a message is written
 *
 * Text, attachments and mode of the next message. Enter sends and Shift+Enter
 * breaks the line (the key "enter-sends" turns this round); an input method
 * that is composing gets its Enter first. Files and pictures come by drop,
 * paste or the button.
 *
 * Signals: "send", "stop", "cancel-edit", "changed" (what the next message
 * would be, or whether a recording runs, is different now), "removed"
 * (FacetAttachment: taken out; facet_composer_put_attachment() brings it back),
 * and what the person chose for the chat: "mode-chosen" (string: its id) and
 * "choice" (string: "tools", "thinking" or "ask-again", boolean: on).
 *
 * Thread-safety: main thread only.
 */
#pragma once

#include <adwaita.h>

#include "chat/facet-chat-options.h"
#include "composer/facet-attachment.h"
#include "modes/facet-mode.h"

G_BEGIN_DECLS

#define FACET_TYPE_COMPOSER (facet_composer_get_type ())
G_DECLARE_FINAL_TYPE (FacetComposer, facet_composer, FACET, COMPOSER, AdwBin)

/* @recordings: a folder for voice notes that are not sent yet. */
FacetComposer *facet_composer_new             (GSettings *settings, const char *recordings);

/* Returns: (transfer full): the text, surrounding blanks removed. */
char          *facet_composer_get_text        (FacetComposer *self);
void           facet_composer_set_text        (FacetComposer *self, const char *text);

/* Items: FacetAttachment, refused ones among them. */
GListModel    *facet_composer_get_attachments (FacetComposer *self);
void           facet_composer_add_file        (FacetComposer *self, GFile *file);
/* Pictures and files that are dropped anywhere on @area, which holds the composer, are attached. */
void           facet_composer_accept_drops    (FacetComposer *self, GtkWidget *area);

/* Takes an attachment out, which "removed" tells. */
void           facet_composer_remove          (FacetComposer *self, FacetAttachment *attachment);

/* Takes all out, to be put back later. Returns: (transfer full) (element-type FacetAttachment). */
GPtrArray     *facet_composer_take_attachments (FacetComposer *self);
void           facet_composer_put_attachment   (FacetComposer *self, FacetAttachment *attachment);

/* Begins a recording, or ends it and attaches it. */
void           facet_composer_record          (FacetComposer *self);
gboolean       facet_composer_is_recording    (FacetComposer *self);

/* Attaches what the folder of recordings holds from an earlier start. Returns
 * how many those are. */
guint          facet_composer_recover         (FacetComposer *self, const char *recordings);

const FacetMode *facet_composer_get_mode      (FacetComposer *self);
void           facet_composer_set_mode        (FacetComposer *self, const FacetMode *mode);

/* Whether the model has the senses for it, and is of the kind. */
gboolean       facet_composer_offers           (FacetComposer *self, const FacetMode *mode);
/* What stands in for a mode that the model does not offer. */
const FacetMode *facet_composer_get_usual_mode (FacetComposer *self);

/* What the chat may do beside answering; whether the model can think. */
void           facet_composer_set_choices      (FacetComposer *self, const FacetChatOptions *options);
void           facet_composer_set_thinks       (FacetComposer *self, gboolean thinks);

/* Empties text and attachments. */
void           facet_composer_clear           (FacetComposer *self);

/* What the window knows: whether an answer runs, whether a message can be
 * sent at all, what the model can sense, whether it only judges pictures, and
 * the words of the meter. */
void           facet_composer_set_running     (FacetComposer *self, gboolean running);
void           facet_composer_set_ready       (FacetComposer *self, gboolean ready);
void           facet_composer_set_senses      (FacetComposer *self, gboolean sees, gboolean hears, gboolean judges);
void           facet_composer_set_editing     (FacetComposer *self, gboolean editing);

/* @brief: the numbers of @text alone, for narrow windows. @too_much: a sentence on what no longer fits, NULL while everything does;
 * with it nothing can be sent. */
void           facet_composer_set_meter       (FacetComposer *self, const char *text, const char *brief, const char *too_much);
void           facet_composer_focus           (FacetComposer *self);

G_END_DECLS
