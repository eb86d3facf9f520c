#define G_LOG_DOMAIN "facet"

#include "facet-engine-backend.h"

FacetLoadSpec *
facet_load_spec_copy (const FacetLoadSpec *spec)
{
  FacetLoadSpec *copy = g_memdup2 (spec, sizeof *spec);

  copy->path = g_strdup (spec->path);
  copy->projector = g_strdup (spec->projector);
  copy->device = g_strdup (spec->device);
  return copy;
}

void
facet_load_spec_free (FacetLoadSpec *spec)
{
  g_free (spec->path);
  g_free (spec->projector);
  g_free (spec->device);
  g_free (spec);
}

void
facet_reply_summary_clear (FacetReplySummary *summary)
{
  g_clear_pointer (&summary->calls, g_ptr_array_unref);
}

void
facet_loaded_clear (FacetLoaded *loaded)
{
  g_clear_pointer (&loaded->path, g_free);
  g_clear_pointer (&loaded->name, g_free);
  g_clear_pointer (&loaded->quantization, g_free);
  g_clear_pointer (&loaded->backend, g_free);
  g_clear_pointer (&loaded->missing_device, g_free);
}
