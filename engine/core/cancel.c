#include "facet.h"

void
facet_cancel (FacetCancel *cancel)
{
  g_atomic_int_set (&cancel->raised, 1);
}

void
facet_cancel_reset (FacetCancel *cancel)
{
  g_atomic_int_set (&cancel->raised, 0);
}

gboolean
facet_is_cancelled (FacetCancel *cancel)
{
  return cancel != NULL && g_atomic_int_get (&cancel->raised) != 0;
}
