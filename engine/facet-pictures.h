/* facet-pictures.h - the part of the public interface that is about how pictures
 * are encoded and what they cost
 *
 * Included by facet.h, which is what programs include.
 */
#pragma once

#include "facet.h"

G_BEGIN_DECLS

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
