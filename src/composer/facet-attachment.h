/* facet-attachment.h - a file that is to be sent, looked at in a thread
 *
 * The kind is told by the content, never by the name. Pictures and sounds are
 * decoded at once (for thumbnail and waveform, and so that a damaged one is
 * refused before it is sent); text must be UTF-8.
 *
 * Properties with notify: "state" (int, a FacetAttachmentState) once, "tokens"
 * (int, what it costs the model; -1 while unknown).
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

/* A file in a folder of Facet's own, which nobody cuts short meanwhile: it is
 * mapped, not read into memory. @name: as people know it. */
FacetAttachment     *facet_attachment_new_for_own     (const char *path, const char *name);

/* A recording, which facet_attachment_discard() removes. */
FacetAttachment     *facet_attachment_new_for_recording (const char *path);

/* A picture from the clipboard. */
FacetAttachment     *facet_attachment_new_for_texture (GdkTexture *texture);

/* A text from there, too long to be written into. */
FacetAttachment     *facet_attachment_new_for_text    (const char *text, gssize length);

FacetAttachmentState facet_attachment_get_state       (FacetAttachment *self);
const char          *facet_attachment_get_name        (FacetAttachment *self);
FacetAttachmentKind  facet_attachment_get_kind        (FacetAttachment *self);

/* "640 × 480 · 1.2 MB", "1:05 · 2 MB", or why it was refused. */
const char          *facet_attachment_get_details     (FacetAttachment *self);
GdkTexture          *facet_attachment_get_thumbnail   (FacetAttachment *self); /* or NULL */

/* Of a READY sound: length, and the largest value of each of @n equal parts. */
double               facet_attachment_get_seconds     (FacetAttachment *self);
const float         *facet_attachment_get_peaks       (FacetAttachment *self, gsize *n);

/* The file it came from; NULL if there is none on this machine. */
const char          *facet_attachment_get_path        (FacetAttachment *self);

int                  facet_attachment_get_tokens      (FacetAttachment *self);
void                 facet_attachment_set_tokens      (FacetAttachment *self, int tokens);

/* What it was made for is settled: a recording's file is removed. */
void                 facet_attachment_discard         (FacetAttachment *self);

/* Of a READY one: its bytes and their type. */
GBytes              *facet_attachment_get_bytes       (FacetAttachment *self);
const char          *facet_attachment_get_mime        (FacetAttachment *self);

G_END_DECLS
