/* facet-pictures.h - the part of the public interface that is about pictures
 *
 * Included by facet.h, which is what programs include.
 */
#pragma once

#include "facet.h"

G_BEGIN_DECLS

/* What was done to a picture that its owner should know of. */
typedef enum {
  FACET_IMAGE_NOTE_FIRST_FRAME = 1 << 0, /* animated: only the first frame is seen */
  FACET_IMAGE_NOTE_CMYK = 1 << 1,        /* print colours, converted without their profile */
} FacetImageNote;

/* A decoded picture, upright, 8-bit RGB, transparency laid on white.
 * Immutable: may be shared and read by any thread. */
typedef struct FacetImage FacetImage;

/* JPEG, PNG, GIF, BMP, TGA, PSD (RGB), PPM and PGM, recognised by content.
 * MEDIA: no picture, or a damaged one; UNSUPPORTED: a known kind that is not
 * read here (WebP, AVIF, HEIC, TIFF, SVG ...: decode it elsewhere and use
 * facet_image_new_from_rgb); NO_MEMORY: too large, said before anything was
 * decoded. */
FacetImage    *facet_image_load           (const char *path, GError **error);
/* @label names the picture in errors. */
FacetImage    *facet_image_new_from_bytes (GBytes *bytes, const char *label, GError **error);
/* Copies @height rows of @width RGB pixels, @stride bytes apart. */
FacetImage    *facet_image_new_from_rgb   (const guint8 *rgb, int width, int height, gsize stride, GError **error);
FacetImage    *facet_image_ref            (FacetImage *image);
void           facet_image_unref          (FacetImage *image);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FacetImage, facet_image_unref)

int            facet_image_width          (const FacetImage *image);
int            facet_image_height         (const FacetImage *image);
FacetImageNote facet_image_notes          (const FacetImage *image);
/* SHA-256 of the file's bytes (of size and pixels if made from RGB), hexadecimal. */
const char    *facet_image_hash           (const FacetImage *image);
/* [height, width, 3], no padding; lives as long as the picture. */
const guint8  *facet_image_pixels         (const FacetImage *image);
/* A smaller or larger copy, for thumbnails; the hash is the original's. */
FacetImage    *facet_image_scale          (const FacetImage *image, int width, int height);

/* ---- encoding ---- */

gboolean        facet_projector_accepts_images (FacetProjector *projector);
/* Soft tokens that the picture becomes. */
int             facet_projector_count (FacetProjector *projector, const FacetImage *image);
/* Parts that a wide or tall picture may also be shown in, so that small print
 * can be read; each costs as many tokens as the whole. 0: none are called for. */
int             facet_projector_crops (FacetProjector *projector, const FacetImage *image);
/* The picture as the encoder sees it; @crop 0: the whole, else from 1. */
FacetImage     *facet_projector_preprocess (FacetProjector *projector, const FacetImage *image, int crop, GError **error);
/* float32 [tokens, width]. Returns: (transfer full). */
GBytes         *facet_projector_encode (FacetProjector   *projector,
                                        const FacetImage *image,
                                        int               crop,
                                        FacetCancel      *cancel,
                                        GError          **error);

/* @progress (NULL: none) is called while an encoder runs, with the phase
 * ENCODE_IMAGE or ENCODE_AUDIO and steps of its network, from 1 to all of them
 * for each picture or sound. A session sets it while it computes a prompt. */
void facet_projector_set_progress (FacetProjector *projector, FacetProgress progress, gpointer user_data);

/* Floating-point operations of encoding the whole picture: two for each
 * multiplication of a product or of attention. 0 on error. */
guint64     facet_projector_work         (FacetProjector *projector, const FacetImage *image, GError **error);
const char *facet_projector_backend_name (FacetProjector *projector); /* e.g. "cpu (avx512, 2 threads)" */

/* 32-bit floating-point operations a second that so many threads of this
 * processor (0: as many as usual) can do at most; takes a fifth of a second. */
double facet_measure_peak (int threads);

/* ---- prompts ---- */

/* The picture stands after the text given so far, framed as the family frames
 * pictures; in prompts of token ids its soft tokens stand alone. */
void facet_prompt_add_image (FacetPrompt *prompt, FacetImage *image);

/* Whether wide and tall pictures are shown a second time in parts, so that
 * small print can be read: each part costs as many tokens and as much time as
 * the whole. Only Gemma 3 does so. */
typedef enum {
  FACET_PAN_AND_SCAN_AUTO, /* where the sides differ twofold or small print would be lost */
  FACET_PAN_AND_SCAN_ON,   /* wherever facet_projector_crops() says that it can be */
  FACET_PAN_AND_SCAN_OFF,
} FacetPanAndScan;

/* Holds for all pictures of the prompt. */
void facet_prompt_set_pan_and_scan (FacetPrompt *prompt, FacetPanAndScan how);

/* Parts of pictures that @prompt shows beside the whole (pan and scan), and
 * what they take of facet_session_count(). Returns -1 on error. */
int facet_session_count_crops (FacetSession *session, FacetPrompt *prompt, int *tokens, GError **error);

/* ---- safety models ---- */

/* The policies that ShieldGemma 2 was trained on, "dangerous", "sexual" and
 * "violence", in its words; NULL for other names. */
const char *facet_policy_text (const char *name);

/* How probable it is, between yes and no, that @image violates @policy, a
 * sentence about what a picture shall not contain; NAN on error. Means
 * something for ShieldGemma 2 only. */
double facet_session_judge_image (FacetSession *session,
                                  FacetImage   *image,
                                  const char   *policy,
                                  FacetCancel  *cancel,
                                  GError      **error);

G_END_DECLS
