#include "facet.h"

G_DEFINE_QUARK (facet-error-quark, facet_error)
