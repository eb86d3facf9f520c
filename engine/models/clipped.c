#include "models/clipped.h"

static void
load_limit (FacetLoader *loader, const char *name, const char *field, float *value)
{
  g_autofree char *full = g_strdup_printf ("%s.%s", name, field);
  g_autofree float *data = facet_loader_floats (loader, 1, full);

  if (data != NULL)
    *value = *data;
}

void
facet_clipped_load (FacetClipped *linear, FacetLoader *loader, gint64 in, gint64 out, const char *name)
{
  g_autofree char *first = g_strdup_printf ("%s.input_min", name);

  linear->w = facet_loader_matrix (loader, in, out, "%s.weight", name);
  linear->clipped = facet_gguf_tensor (loader->gguf, first) != NULL;
  if (!linear->clipped)
    return;
  load_limit (loader, name, "input_min", &linear->in[0]);
  load_limit (loader, name, "input_max", &linear->in[1]);
  load_limit (loader, name, "output_min", &linear->out[0]);
  load_limit (loader, name, "output_max", &linear->out[1]);
}

int
facet_clipped_build (FacetGraph *g, const FacetClipped *linear, int x)
{
  if (!linear->clipped)
    return facet_g_matmul (g, x, linear->w, NULL);
  x = facet_g_matmul (g, facet_g_clamp (g, x, linear->in[0], linear->in[1]), linear->w, NULL);
  return facet_g_clamp (g, x, linear->out[0], linear->out[1]);
}
