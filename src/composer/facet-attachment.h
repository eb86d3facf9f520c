/* facet-attachment.h - a file that is to be sent, looked at in a thread
 *
 * The kind is told by the content, never by the name. Pictures are decoded at
 * once (for the thumbnail and so that a damaged one is refused before it is
 * sent); text must be UTF-8.
 *
 * Property "state" (int, a FacetAttachmentState) notifies once.
 *
 * Thread-safety: main thread only.
 */
#pragma once

#include <gtk/gtk.h>

#include "store/facet-store.h"

G_BEGIN_DECLS

typedef enum {
  FACET_ATTACHMENT_LOOKING,
  FACET_ATTACHMENT_READY,
  FACET_ATTACHMENT_REFUSED,
} FacetAttachmentState;

#define FACET_TYPE_ATTACHMENT (facet_attachment_get_type ())
G_DECLARE_FINAL_TYPE (FacetAttachment, facet_attachment, FACET, ATTACHMENT, GObject)

FacetAttachment     *facet_attachment_new_for_file    (GFile *file);

/* A picture from the clipboard. */
FacetAttachment     *facet_attachment_new_for_texture (GdkTexture *texture);

FacetAttachmentState facet_attachment_get_state       (FacetAttachment *self);
const char          *facet_attachment_get_name        (FacetAttachment *self);
FacetAttachmentKind  facet_attachment_get_kind        (FacetAttachment *self);

/* "640 × 480 · 1.2 MB", or why it was refused. */
const char          *facet_attachment_get_details     (FacetAttachment *self);
GdkTexture          *facet_attachment_get_thumbnail   (FacetAttachment *self); /* or NULL */

/* Of a READY one: its bytes and their type. */
GBytes              *facet_attachment_get_bytes       (FacetAttachment *self);
const char          *facet_attachment_get_mime        (FacetAttachment *self);

G_END_DECLS
