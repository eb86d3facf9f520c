/* call.h - calls within the engine */
#pragma once

#include "tools/grammar.h"

/* Of a machine that is done, and the arguments that it gave. Of further
 * properties of one name the last counts. */
FacetCall *facet_call_new (const FacetGrammar *grammar, const GString *arguments);
