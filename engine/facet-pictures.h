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

G_END_DECLS
