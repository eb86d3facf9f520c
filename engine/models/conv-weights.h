/* conv-weights.h - weights of convolutional encoders as they enter a graph
 *
 * A file has a kernel as ne = { k, k, in, out }, one by channel as
 * { k, k, 1, channels }, a vector as { n } or { 1, 1, n, 1 }.
 */
#pragma once

#include "graph/graph.h"
#include "models/loader.h"

typedef struct {
  const FacetTensor *w;     /* as facet_g_conv() or facet_g_depthwise() takes it; NULL: the file has none */
  const FacetTensor *norm;  /* gain of the norm that follows; NULL: none */
  gboolean depthwise;
  int      k, out;          /* side, channels */
} FacetConv;

/* Owns what is not in the file as it is, and knows what was read. */
typedef struct {
  FacetLoader *loader;
  GPtrArray   *made;
  GHashTable  *seen;  /* names */
} FacetConvReader;

void     facet_conv_reader_init  (FacetConvReader *reader, FacetLoader *loader);
/* A fault for each tensor whose name begins with @prefix and that was not
 * read. Returns: (transfer full): what to free with the encoder. */
GPtrArray *facet_conv_reader_finish (FacetConvReader *reader, const char *prefix);

gboolean facet_conv_has (FacetConvReader *reader, const char *name);
/* Any float tensor of @n elements as a vector. */
const FacetTensor *facet_conv_vector (FacetConvReader *reader, gint64 n, const char *name);
/* Kernel @name for @in channels and, unless @norm is NULL, the gain of that
 * name. Faults leave a kernel of one channel, so that reading can go on. */
void     facet_conv_read     (FacetConvReader *reader, FacetConv *conv, gboolean depthwise, int in, const char *name, const char *norm);
